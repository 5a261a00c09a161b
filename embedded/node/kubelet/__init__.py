"""The kubelet's HTTP API: exec, port-forward and logs."""
