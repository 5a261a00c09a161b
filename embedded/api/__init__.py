"""The Kubernetes API server of the embedded platform: one process, all state in memory.

Who asks is checked (bearer tokens); what they may do is not: roles and bindings are stored and
served, and enforced by nobody. What is not served answers 404, 405 or 501 with a sentence.
"""
