"""Small language models that vote: folders, label maps, backends, the model store and the hub."""
