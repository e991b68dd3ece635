//! Decoding within its limits.

use super::*;
use serde::Serialize;

fn decode<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Option<T> {
    deserialize(&mut postcard::Deserializer::from_bytes(bytes)).ok()
}

#[test]
fn attack_4_a_list_of_nothing_is_not_gone_through() {
    // 2^56 elements of no bytes: without a limit this would take years.
    let bomb = [&[0xff; 8][..], &[0x00]].concat();
    assert!(decode::<Vec<()>>(&bomb).is_none());
    assert!(decode::<std::collections::BTreeMap<(), ()>>(&bomb).is_none());
    assert_eq!(decode::<Vec<()>>(&[100]).map(|list| list.len()), Some(100));
}

#[test]
fn attack_4_lists_within_lists_share_one_limit() {
    // 8 lists of 200 elements each.
    let bytes = [8, 200, 1, 200, 1, 200, 1, 200, 1, 200, 1, 200, 1, 200, 1, 200, 1];
    assert!(decode::<Vec<Vec<()>>>(&bytes).is_none());
    let bytes = [2, 200, 1, 200, 1];
    assert_eq!(decode::<Vec<Vec<()>>>(&bytes).map(|lists| lists.len()), Some(2));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Nested {
    Leaf,
    One(Box<Nested>),
    Two { left: Option<Box<Nested>>, right: (Box<Nested>,) },
}

#[test]
fn attack_4_a_value_nested_without_end_is_refused() {
    let deep = |levels: usize| [vec![1; levels], vec![0]].concat();
    assert!(decode::<Nested>(&deep(1023)).is_none());
    assert!(decode::<Nested>(&deep(50)).is_some());
}

#[test]
fn a_character_is_one() {
    assert_eq!(decode(&[2, 0xc3, 0xbc]), Some('ü'));
    assert_eq!(decode::<char>(&[2, b'a', b'b']), None);
    assert_eq!(decode::<char>(&[0]), None);
}

#[test]
fn every_kind_of_value_comes_through() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Unit;
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct New(u32);
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Pair(i128, f64);
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct All<'a> {
        unit: (Unit, ()),
        new: New,
        pair: Pair,
        text: &'a str,
        owned: String,
        map: std::collections::BTreeMap<char, Option<bool>>,
        tree: Nested,
    }
    let all = All {
        unit: (Unit, ()),
        new: New(1),
        pair: Pair(i128::MIN, -0.5),
        text: "text",
        owned: "owned".into(),
        map: [('a', None), ('z', Some(true))].into(),
        tree: Nested::Two {
            left: Some(Box::new(Nested::One(Box::new(Nested::Leaf)))),
            right: (Box::new(Nested::Leaf),),
        },
    };
    let bytes = postcard::to_stdvec(&all).unwrap();
    assert_eq!(decode(&bytes), Some(all));
}
