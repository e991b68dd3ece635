//! What must hold for any bits, and for any value.

use super::control::{CONTROL_BYTES, Control, Tag, Token};
use super::head::{Request, RowName, State};
use super::layout::{LANE_COUNT, LaneId, SLOTS};
use super::slot::{Group, Kinds, Slot};
use crate::allowance::Allowance;
use crate::due::Due;
use crate::entrypoint_id::EntrypointId;
use crate::fuzzing::wire as check;
use crate::protocol::release_ring::{Release, Ring};
use crate::sync::{AtomicU64, Ordering};
use proptest::prelude::*;

fn row() -> impl Strategy<Value = RowName> {
    any::<u64>().prop_map(RowName::decode)
}

fn slots() -> impl Strategy<Value = Vec<Slot>> {
    let slot = prop_oneof![
        row().prop_map(Slot::Row),
        any::<u64>().prop_map(|word| Slot::Portal(Group(word))),
        any::<u64>().prop_map(Slot::Dataspace),
    ];
    proptest::collection::vec(slot, 0..=SLOTS)
}

fn state() -> impl Strategy<Value = State> {
    (any::<u32>(), 0..=1024_u16, slots(), 0..32_u8, any::<u8>()).prop_map(
        |(sequence, length, slots, status, core)| State {
            sequence,
            length,
            kinds: Kinds::of(&slots),
            status,
            core,
        },
    )
}

fn request() -> impl Strategy<Value = Request> {
    (row(), any::<(u32, u32, u64, u64)>()).prop_map(|(target, (opcode, due, link, chain))| Request {
        target,
        opcode,
        due: Due::decode(due),
        link,
        chain,
    })
}

/// A message on the socket, and with how many descriptors it may come.
fn control() -> impl Strategy<Value = (Control, usize)> {
    let lane = (0..u32::from(LANE_COUNT)).prop_map(|number| LaneId::new(number).expect("a lane"));
    let descriptors =
        (lane, any::<u32>()).prop_map(|(lane, sequence)| Control::Descriptors(Tag { lane, sequence }));
    let greeting =
        (1..=u64::MAX).prop_filter_map("a name", |word| EntrypointId::decode(word).map(Control::Greeting));
    let allowance = (0..1_u32 << 20, 0..1_u32 << 14, 0..1_u32 << 12)
        .prop_map(|(rows, contexts, channels)| Allowance { rows, contexts, channels });
    let open = (row(), any::<bool>(), allowance).prop_map(|(row, greeted, allowance)| Control::Open {
        row,
        greeted,
        allowance,
    });
    prop_oneof![
        (Just(Control::Hello), 1..=2_usize),
        (open, Just(1)),
        (Just(Control::Refusal), Just(0)),
        (descriptors, 1..=SLOTS),
        (greeting, Just(1)),
        (any::<u64>().prop_map(|word| Control::Token(Token(word))), Just(1)),
    ]
}

/// Bytes of the length of a message, half of them close to one that is right.
fn alleged_control() -> impl Strategy<Value = Vec<u8>> {
    let near =
        (control(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|((control, _), at, value)| {
            let mut bytes = control.encode().to_vec();
            bytes[at.index(CONTROL_BYTES)] = value;
            bytes
        });
    prop_oneof![near, proptest::collection::vec(any::<u8>(), 0..=CONTROL_BYTES + 1)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn state_words_that_are_accepted_are_encoded_alike_and_lie_within_a_message(word: u64) {
        check::state(word);
    }

    #[test]
    fn states_survive(state in state()) {
        prop_assert_eq!(State::decode(state.encode()), Ok(state));
    }

    #[test]
    fn kinds_that_are_accepted_are_encoded_alike(byte: u8, words: [u64; SLOTS]) {
        check::kinds(byte, words);
    }

    #[test]
    fn slots_survive(slots in slots()) {
        let words = slots.iter().map(|slot| slot.encode());
        let decoded: Vec<Slot> = Kinds::of(&slots).slots(words).collect();
        prop_assert_eq!(decoded, slots);
    }

    #[test]
    fn request_heads_and_row_names_are_encoded_alike(words: [u64; 4]) {
        check::request(words);
    }

    #[test]
    fn request_heads_survive(request in request()) {
        prop_assert_eq!(Request::decode(request.encode()), request);
    }

    #[test]
    fn statuses_that_are_accepted_are_encoded_alike(byte: u8) {
        check::status(byte);
    }

    #[test]
    fn control_messages_that_are_accepted_are_encoded_alike(
        bytes in alleged_control(),
        descriptors in 0..=253_usize,
    ) {
        check::control(&bytes, descriptors);
    }

    #[test]
    fn control_messages_survive((control, descriptors) in control()) {
        prop_assert_eq!(Control::decode(&control.encode(), descriptors), Ok(control));
    }

    #[test]
    fn a_release_ring_of_any_content_is_read_within_bounds(
        start: u64,
        ahead in prop_oneof![0..20_u64, any::<u64>()],
        behind in prop_oneof![0..20_u64, any::<u64>()],
        entries: [u64; 16],
    ) {
        check::ring(start.wrapping_add(ahead), start.wrapping_sub(behind), start, &entries);
    }

    #[test]
    fn releases_survive(row: u32, grants: u16, sent: u16, start: u64) {
        let (head, tail, entries) = (AtomicU64::new(start), AtomicU64::new(start), [AtomicU64::new(0)]);
        let ring = Ring { head: &head, tail: &tail, entries: &entries };
        let release = Release { row, grants, sent };
        prop_assert!(ring.push(&mut start.clone(), release));
        prop_assert!(!ring.push(&mut start.wrapping_add(1), release), "it is full");
        prop_assert_eq!(ring.pop(&mut start.clone()), Ok(Some(release)));
        prop_assert_eq!(tail.load(Ordering::Relaxed), start.wrapping_add(1));
    }
}
