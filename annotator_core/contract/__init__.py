"""The accuracy contract: which labels may be accepted without a person at an error a manager names, and its price.

`frame` fixes which texts an audit may draw, `certify` judges its answers, `plan` says how many are needed, `estimate`
measures shares, `simulate` tries the whole chain.
"""
