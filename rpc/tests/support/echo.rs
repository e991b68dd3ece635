//! An interface with a method for each shape of argument and result, and an object that returns what it gets.

use portcullis_rpc::{Capability, Error, Later, rpc_interface};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[rpc_interface]
#[allow(clippy::type_complexity)] // behind an alias the macro would not see where the bytes are
pub(crate) trait Echo {
    fn nothing(&mut self) -> Result<(), Failure>;
    fn unsigned(&mut self, a: u8, b: u16, c: u32, d: u64, e: u128, f: usize) -> Result<Unsigned, Failure>;
    fn signed(&mut self, numbers: Signed) -> Result<Signed, Failure>;
    fn others(
        &mut self,
        a: bool,
        b: char,
        c: f32,
        d: f64,
        e: (),
    ) -> Result<(bool, char, f32, f64, ()), Failure>;
    fn text(&mut self, borrowed: &str, owned: String) -> Result<(String, String), Failure>;
    fn maybe_text(&mut self, text: Option<&str>) -> Result<Option<String>, Failure>;
    fn bytes(&mut self, borrowed: &[u8], owned: Vec<u8>) -> Result<(Vec<u8>, Vec<u8>), Failure>;
    fn all_bytes(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>, Failure>;
    fn array(&mut self, few: [u8; 3], many: [u8; 300]) -> Result<([u8; 3], [u8; 300]), Failure>;
    fn maybe_bytes(&mut self, a: Option<&[u8]>, b: Option<Vec<u8>>) -> Result<MaybeBytes, Failure>;
    fn lists_of_bytes(&mut self, lists: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>, Failure>;
    fn mixed(
        &mut self,
        mixed: (u32, Vec<u8>, Option<[u8; 5]>),
    ) -> Result<(u32, Vec<u8>, Option<[u8; 5]>), Failure>;
    fn numbers(&mut self, list: Vec<u32>, array: [i16; 7]) -> Result<(Vec<u32>, [i16; 7]), Failure>;
    fn map(&mut self, map: BTreeMap<u16, String>) -> Result<BTreeMap<u16, String>, Failure>;
    fn record(&mut self, record: Record) -> Result<Record, Failure>;
    fn fail(&mut self, failure: Failure) -> Result<u64, Failure>;
    fn later(&mut self, record: Record, bytes: Vec<u8>) -> Later<Result<(Record, Vec<u8>), Failure>>;
    fn bare(&mut self, first: Capability<dyn Number>, tag: u8) -> Result<Capability<dyn Number>, Failure>;
    fn maybe(
        &mut self,
        it: Option<Capability<dyn Number>>,
    ) -> Result<Option<Capability<dyn Number>>, Failure>;
    fn pair(&mut self, pair: Pair) -> Result<Pair, Failure>;
    fn list(&mut self, list: Vec<Capability<dyn Number>>) -> Result<Vec<Capability<dyn Number>>, Failure>;
    fn holder(&mut self, holder: Holder, bytes: &[u8]) -> Result<(Vec<u8>, Holder), Failure>;
    fn records(&mut self, records: Vec<Record>) -> Result<Vec<Record>, Failure>;
    fn nested(&mut self, nested: Nested) -> Result<Nested, Failure>;
    fn choice(&mut self, choice: Choice) -> Result<Choice, Failure>;
    fn fail_later(&mut self, failure: Failure) -> Later<Result<u64, Failure>>;
    fn holder_later(&mut self, holder: Holder) -> Later<Result<Holder, Failure>>;
}

/// What the capabilities of the tests lead to.
#[rpc_interface]
pub(crate) trait Number {
    fn number(&self) -> Result<u32, Error>;
}

impl Number for u32 {
    fn number(&self) -> Result<u32, Error> {
        Ok(*self)
    }
}

type Unsigned = (u8, u16, u32, u64, u128, usize);
type Signed = (i8, i16, i32, i64, i128, isize);
type MaybeBytes = (Option<Vec<u8>>, Option<Vec<u8>>);
type Pair = (Capability<dyn Number>, Capability<dyn Number>);
pub(crate) type Nested = Option<Vec<(Option<Kind>, [Option<bool>; 2], Result<String, Vec<char>>)>>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) name: String,
    #[serde(with = "portcullis_rpc::bytes")]
    pub(crate) key: [u8; 40],
    #[serde(with = "portcullis_rpc::bytes")]
    pub(crate) value: Vec<u8>,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Plain,
    Sized(u64),
    Range { from: i32, to: i32 },
    Children(Vec<Kind>),
}

/// The service's own failures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Failure {
    Full,
    Missing { key: u64, why: String },
    Rpc(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Rpc(error)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub(crate) first: Option<Capability<dyn Number>>,
    pub(crate) number: u16,
    pub(crate) rest: Vec<(u8, Capability<dyn Number>)>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Choice {
    None,
    One(Capability<dyn Number>),
    Both { first: Capability<dyn Number>, second: (Capability<dyn Number>,) },
}

pub(crate) struct Mirror;

#[allow(clippy::type_complexity)]
impl Echo for Mirror {
    fn nothing(&mut self) -> Result<(), Failure> {
        Ok(())
    }
    fn unsigned(&mut self, a: u8, b: u16, c: u32, d: u64, e: u128, f: usize) -> Result<Unsigned, Failure> {
        Ok((a, b, c, d, e, f))
    }
    fn signed(&mut self, numbers: Signed) -> Result<Signed, Failure> {
        Ok(numbers)
    }
    fn others(
        &mut self,
        a: bool,
        b: char,
        c: f32,
        d: f64,
        e: (),
    ) -> Result<(bool, char, f32, f64, ()), Failure> {
        Ok((a, b, c, d, e))
    }
    fn text(&mut self, borrowed: &str, owned: String) -> Result<(String, String), Failure> {
        Ok((borrowed.into(), owned))
    }
    fn maybe_text(&mut self, text: Option<&str>) -> Result<Option<String>, Failure> {
        Ok(text.map(Into::into))
    }
    fn bytes(&mut self, borrowed: &[u8], owned: Vec<u8>) -> Result<(Vec<u8>, Vec<u8>), Failure> {
        Ok((borrowed.into(), owned))
    }
    fn all_bytes(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>, Failure> {
        Ok(bytes)
    }
    fn array(&mut self, few: [u8; 3], many: [u8; 300]) -> Result<([u8; 3], [u8; 300]), Failure> {
        Ok((few, many))
    }
    fn maybe_bytes(&mut self, a: Option<&[u8]>, b: Option<Vec<u8>>) -> Result<MaybeBytes, Failure> {
        Ok((a.map(Into::into), b))
    }
    fn lists_of_bytes(&mut self, lists: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>, Failure> {
        Ok(lists)
    }
    fn mixed(
        &mut self,
        mixed: (u32, Vec<u8>, Option<[u8; 5]>),
    ) -> Result<(u32, Vec<u8>, Option<[u8; 5]>), Failure> {
        Ok(mixed)
    }
    fn numbers(&mut self, list: Vec<u32>, array: [i16; 7]) -> Result<(Vec<u32>, [i16; 7]), Failure> {
        Ok((list, array))
    }
    fn map(&mut self, map: BTreeMap<u16, String>) -> Result<BTreeMap<u16, String>, Failure> {
        Ok(map)
    }
    fn record(&mut self, record: Record) -> Result<Record, Failure> {
        Ok(record)
    }
    fn fail(&mut self, failure: Failure) -> Result<u64, Failure> {
        Err(failure)
    }
    fn later(&mut self, record: Record, bytes: Vec<u8>) -> Later<Result<(Record, Vec<u8>), Failure>> {
        let (later, reply) = Later::new();
        reply.answer(Ok((record, bytes)));
        later
    }
    fn bare(&mut self, first: Capability<dyn Number>, _tag: u8) -> Result<Capability<dyn Number>, Failure> {
        Ok(first)
    }
    fn maybe(
        &mut self,
        it: Option<Capability<dyn Number>>,
    ) -> Result<Option<Capability<dyn Number>>, Failure> {
        Ok(it)
    }
    fn pair(&mut self, pair: Pair) -> Result<Pair, Failure> {
        Ok(pair)
    }
    fn list(&mut self, list: Vec<Capability<dyn Number>>) -> Result<Vec<Capability<dyn Number>>, Failure> {
        Ok(list)
    }
    fn holder(&mut self, holder: Holder, bytes: &[u8]) -> Result<(Vec<u8>, Holder), Failure> {
        Ok((bytes.into(), holder))
    }
    fn records(&mut self, records: Vec<Record>) -> Result<Vec<Record>, Failure> {
        Ok(records)
    }
    fn nested(&mut self, nested: Nested) -> Result<Nested, Failure> {
        Ok(nested)
    }
    fn choice(&mut self, choice: Choice) -> Result<Choice, Failure> {
        Ok(choice)
    }
    fn fail_later(&mut self, failure: Failure) -> Later<Result<u64, Failure>> {
        Later::ready(Err(failure))
    }
    fn holder_later(&mut self, holder: Holder) -> Later<Result<Holder, Failure>> {
        let (later, reply) = Later::new();
        reply.answer(Ok(holder));
        later
    }
}
