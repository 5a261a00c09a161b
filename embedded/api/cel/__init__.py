"""Rules in CEL of custom resources (`x-kubernetes-validations`)."""
