//! Every shape of argument and result, there and back, for generated values. `PROPTEST_CASES` says how many.
//!
//! For whoever includes it, with a place in the crate's root: `mirror()` calls an object that returns what it gets,
//! and `numbers()` holds capabilities to 0, 1, 2 and so on, eight of them.

use crate::echo::{Choice, Echo, Failure, Holder, Kind, Nested, Number, Record};
use crate::{mirror, numbers};
use portcullis_rpc::{Capability, Error};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

/// What a capability leads to: tells whether it is the one that was sent.
fn number(capability: &Capability<dyn Number>) -> u32 {
    capability.client().number().expect("the capability is valid")
}

fn number_at(index: usize) -> Capability<dyn Number> {
    numbers()[index].clone()
}

/// A holder of capabilities: to which numbers, and what else it says.
fn holder(first: Option<usize>, rest: &[usize], tag: u8) -> Holder {
    Holder {
        first: first.map(number_at),
        number: u16::from(tag) * 3,
        rest: rest.iter().map(|index| (tag, number_at(*index))).collect(),
    }
}

/// The same, read off a holder.
fn held(holder: &Holder) -> (Option<usize>, Vec<usize>, u16) {
    let rest = holder.rest.iter().map(|(_, it)| number(it) as usize).collect();
    (holder.first.as_ref().map(|it| number(it) as usize), rest, holder.number)
}

fn choice(indices: &[usize]) -> Choice {
    match *indices {
        [] => Choice::None,
        [one] => Choice::One(number_at(one)),
        [first, second, ..] => Choice::Both { first: number_at(first), second: (number_at(second),) },
    }
}

fn nested() -> impl Strategy<Value = Nested> {
    let text = prop_oneof![text(40).prop_map(Ok), vec(any::<char>(), 0..8).prop_map(Err),];
    option::of(vec((option::of(kind()), any::<[Option<bool>; 2]>(), text), 0..4))
}

fn kind() -> impl Strategy<Value = Kind> {
    let leaf = prop_oneof![
        Just(Kind::Plain),
        any::<u64>().prop_map(Kind::Sized),
        any::<(i32, i32)>().prop_map(|(from, to)| Kind::Range { from, to }),
    ];
    leaf.prop_recursive(3, 12, 4, |within| vec(within, 0..4).prop_map(Kind::Children))
}

fn record() -> impl Strategy<Value = Record> {
    (".{0,20}", any::<[u8; 32]>(), vec(any::<u8>(), 0..200), kind()).prop_map(|(name, half, value, kind)| {
        let mut key = [7; 40];
        key[..32].copy_from_slice(&half);
        Record { name, key, value, kind }
    })
}

fn failure() -> impl Strategy<Value = Failure> {
    prop_oneof![
        Just(Failure::Full),
        (any::<u64>(), ".{0,40}").prop_map(|(key, why)| Failure::Missing { key, why }),
    ]
}

/// A string of at most so many bytes.
fn text(most: usize) -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..most / 4).prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn unsigned(a: u8, b: u16, c: u32, d: u64, e: u128, f: usize) {
        prop_assert_eq!(mirror().unsigned(a, b, c, d, e, f), Ok((a, b, c, d, e, f)));
    }

    #[test]
    fn signed(numbers: (i8, i16, i32, i64, i128, isize)) {
        prop_assert_eq!(mirror().signed(numbers), Ok(numbers));
    }

    #[test]
    fn others(a: bool, b: char, c: f32, d: f64) {
        let (back_a, back_b, back_c, back_d, ()) = mirror().others(a, b, c, d, ()).unwrap();
        prop_assert_eq!((back_a, back_b, back_c.to_bits(), back_d.to_bits()), (a, b, c.to_bits(), d.to_bits()));
    }

    #[test]
    fn strings(borrowed in text(480), owned in text(480)) {
        prop_assert_eq!(mirror().text(&borrowed, owned.clone()), Ok((borrowed, owned)));
    }

    #[test]
    fn a_string_or_none(text in option::of(text(900))) {
        prop_assert_eq!(mirror().maybe_text(text.as_deref()), Ok(text));
    }

    #[test]
    fn byte_strings(borrowed in vec(any::<u8>(), 0..500), owned in vec(any::<u8>(), 0..500)) {
        prop_assert_eq!(mirror().bytes(&borrowed, owned.clone()), Ok((borrowed, owned)));
    }

    /// Up to the limit it crosses, and beyond it nothing is sent.
    #[test]
    fn g5_byte_strings_of_every_length(bytes in vec(any::<u8>(), 900..1100)) {
        // Two bytes of length, and in the result a byte that says that it is one.
        let expected = match bytes.len() + 2 {
            ..1024 => Ok(bytes.clone()),
            1024 => Err(Failure::Rpc(Error::Unanswerable)),
            length => Err(Failure::Rpc(Error::MessageTooLarge { length })),
        };
        prop_assert_eq!(mirror().all_bytes(bytes), expected);
    }

    #[test]
    fn byte_arrays(few: [u8; 3], byte: u8) {
        let mut many = [byte; 300];
        many[..3].copy_from_slice(&few);
        prop_assert_eq!(mirror().array(few, many), Ok((few, many)));
    }

    #[test]
    fn byte_strings_or_none(a in option::of(vec(any::<u8>(), 0..500)), b in option::of(vec(any::<u8>(), 0..500))) {
        prop_assert_eq!(mirror().maybe_bytes(a.as_deref(), b.clone()), Ok((a, b)));
    }

    #[test]
    fn lists_of_byte_strings(lists in vec(vec(any::<u8>(), 0..60), 0..16)) {
        prop_assert_eq!(mirror().lists_of_bytes(lists.clone()), Ok(lists));
    }

    #[test]
    fn bytes_within_a_tuple(a: u32, bytes in vec(any::<u8>(), 0..900), b: Option<[u8; 5]>) {
        prop_assert_eq!(mirror().mixed((a, bytes.clone(), b)), Ok((a, bytes, b)));
    }

    #[test]
    fn lists_and_arrays_of_numbers(list in vec(any::<u32>(), 0..190), array: [i16; 7]) {
        prop_assert_eq!(mirror().numbers(list.clone(), array), Ok((list, array)));
    }

    #[test]
    fn maps(map in btree_map(any::<u16>(), text(40), 0..20)) {
        prop_assert_eq!(mirror().map(map.clone()), Ok(map));
    }

    #[test]
    fn structs_and_enums(record in record()) {
        prop_assert_eq!(mirror().record(record.clone()), Ok(record));
    }

    #[test]
    fn failures_of_the_service(failure in failure()) {
        prop_assert_eq!(mirror().fail(failure.clone()), Err(failure));
    }

    #[test]
    fn transport_errors_arrive_as_relayed(length: usize) {
        // Relayed on the way there already, and once more on the way back: a chain of blame.
        let there = Error::MessageTooLarge { length };
        let back = Error::Relayed(there.to_string());
        let relayed = Failure::Rpc(Error::Relayed(back.to_string()));
        prop_assert_eq!(mirror().fail(Failure::Rpc(there)), Err(relayed));
    }

    #[test]
    fn later_results(record in record(), bytes in vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(mirror().later(record.clone(), bytes.clone()).get(), Ok((record, bytes)));
    }

    #[test]
    fn a_capability(index in 0..8_usize, tag: u8) {
        let back = mirror().bare(number_at(index), tag).unwrap();
        prop_assert_eq!(number(&back) as usize, index);
    }

    #[test]
    fn a_capability_or_none(index in option::of(0..8_usize)) {
        let back = mirror().maybe(index.map(number_at)).unwrap();
        prop_assert_eq!(back.map(|back| number(&back) as usize), index);
    }

    #[test]
    fn a_pair_of_capabilities(first in 0..8_usize, second in 0..8_usize) {
        let (one, two) = mirror().pair((number_at(first), number_at(second))).unwrap();
        prop_assert_eq!((number(&one) as usize, number(&two) as usize), (first, second));
    }

    #[test]
    fn g5_lists_of_capabilities(indices in vec(0..8_usize, 0..7)) {
        match mirror().list(indices.iter().copied().map(number_at).collect()) {
            Ok(back) => {
                let back: Vec<_> = back.iter().map(|back| number(back) as usize).collect();
                prop_assert_eq!(back, indices);
            }
            Err(error) => {
                prop_assert!(indices.len() > 4);
                prop_assert_eq!(error, Failure::Rpc(Error::TooManyCapabilities));
            }
        }
    }

    #[test]
    fn capabilities_within_structs(
        first in option::of(0..8_usize),
        rest in vec(0..8_usize, 0..3),
        tag: u8,
        bytes in vec(any::<u8>(), 0..900),
    ) {
        let (back_bytes, back) = mirror().holder(holder(first, &rest, tag), &bytes).unwrap();
        prop_assert_eq!(back_bytes, bytes);
        prop_assert!(back.rest.iter().all(|(back, _)| *back == tag));
        prop_assert_eq!(held(&back), (first, rest, u16::from(tag) * 3));
    }

    #[test]
    fn capabilities_within_enums(indices in vec(0..8_usize, 0..3)) {
        let back = match mirror().choice(choice(&indices)).unwrap() {
            Choice::None => vec![],
            Choice::One(one) => vec![number(&one) as usize],
            Choice::Both { first, second: (second,) } => vec![number(&first) as usize, number(&second) as usize],
        };
        prop_assert_eq!(back, indices);
    }

    #[test]
    fn lists_of_structs(records in vec(record(), 0..3)) {
        prop_assert_eq!(mirror().records(records.clone()), Ok(records));
    }

    #[test]
    fn values_nested_in_values(nested in nested()) {
        prop_assert_eq!(mirror().nested(nested.clone()), Ok(nested));
    }

    #[test]
    fn later_failures_of_the_service(failure in failure()) {
        prop_assert_eq!(mirror().fail_later(failure.clone()).get(), Err(failure));
    }

    #[test]
    fn later_capabilities(first in option::of(0..8_usize), rest in vec(0..8_usize, 0..3), tag: u8) {
        let back = mirror().holder_later(holder(first, &rest, tag)).get().unwrap();
        prop_assert_eq!(held(&back), (first, rest, u16::from(tag) * 3));
    }
}

#[test]
fn nothing() {
    assert_eq!(mirror().nothing(), Ok(()));
}
