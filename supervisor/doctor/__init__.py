"""What may be wrong with a machine or a services.yaml before anything fails: findings, each with its remedy."""
