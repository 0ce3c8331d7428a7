"""Linear text classifiers: TF-IDF of words and characters with logistic regression. No model library at inference."""
