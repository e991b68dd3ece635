//! A hostile peer, made of raw system calls.
