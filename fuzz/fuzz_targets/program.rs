//! An executable file, and what it says of the libraries that it needs.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis_component::sandbox::fuzzing::program(data));
