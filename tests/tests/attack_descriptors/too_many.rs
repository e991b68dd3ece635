//! Attack 41: messages with as many descriptors as the kernel passes. They are refused, and all of them closed.

use crate::{alone, town};
use portcullis_tests::resources::limit_descriptors;
use portcullis_tests::villain::client::RawClient;
use portcullis_tests::villain::wire::{self, Kind, Row};
use portcullis_tests::villain::{service, socket};
use std::os::fd::AsFd;

/// As many as the kernel passes at once.
const MOST: usize = 253;

/// A message that means something, if it came with fewer descriptors.
fn messages(villain: &mut RawClient) -> Vec<Vec<u8>> {
    let state = villain.fill(0, Row::FIRST, service::POKE, &[], &[(Kind::Portal, 0)]);
    vec![
        wire::portals(0, state.sequence).to_vec(),
        wire::open(Row::FIRST).to_vec(),
        wire::hello().to_vec(),
        wire::DOORBELL.to_vec(),
        b"no message at all".to_vec(),
    ]
}

#[test]
fn attack_41_253_descriptors_end_the_channel_and_are_closed() {
    let _alone = alone();
    let mut town = town();
    // One that has room for all of them, and one in whose stead the kernel closes those beyond its limit.
    for limit in [8_192, 64] {
        limit_descriptors(town.server.id(), limit);
        for number in 0..5 {
            let mut villain = town.villain();
            let (spare, _other) = socket::pair().expect("the system has some");
            let message = messages(&mut villain).swap_remove(number);
            villain.send(&message, &[spare.as_fd(); MOST]).expect("the kernel passes as many");
            drop(spare);
            villain.announce(wire::PENDING_SOCKET);
            assert!(villain.is_thrown_out(), "{message:?} with {MOST} descriptors, {limit} allowed");
            town.assert_nothing_leaked();
        }
    }
    town.assert_unharmed();
}
