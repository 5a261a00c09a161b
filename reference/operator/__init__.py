"""The reference operator: keeps the TLS contract as documented, through the Kubernetes API alone.

It runs as a Pod of its own Deployment and knows of the cluster that it runs in only what the API
tells. `contract` has the promises; everything else keeps objects as they say.
"""
