//! Single values of the wire format.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis_ipc::fuzzing::wire(data));
