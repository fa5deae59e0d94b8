"""The model backend: a client for SGLang's OpenAI-compatible API, and the command line of the server it relies on."""
