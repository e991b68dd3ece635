//! The attribute that makes an RPC interface of a trait. Use it through `portcullis_rpc`, which documents it.
#![forbid(unsafe_code)]
