//! The client's side of a channel whose whole memory is hostile.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis_ipc::fuzzing::reply(data));
