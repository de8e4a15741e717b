"""How the registry's records are shown as ECR's shapes."""
