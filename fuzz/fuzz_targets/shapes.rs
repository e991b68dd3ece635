//! Values of every shape: what decodes crosses again as it is, and takes no more than its share of memory.
#![no_main]

#[path = "../../tests/src/counting_allocator.rs"]
#[allow(dead_code)] // bytes are counted here, not allocations
mod counting_allocator;
#[path = "../../rpc/tests/support/echo.rs"]
#[allow(dead_code)] // its types are wanted, not its methods
mod echo;

use counting_allocator::{CountingAllocator, allocated_bytes};
use echo::{Failure, Holder, Number, Record};
use portcullis_ipc::fuzzing::Puppet;
use portcullis_ipc::{MAX_CAPABILITIES, MAX_DATA, MsgBuf};
use portcullis_rpc::__private::v1::{As, Bytes, Each, Either, Maybe, Plain};
use portcullis_rpc::{Capability, codec};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// What decoding one message may ask for, in bytes: lists within lists, each of which alleges 1,024 elements.
const MOST_ALLOCATED: u64 = 2 << 20;

#[derive(Serialize, Deserialize)]
enum Tree {
    Leaf,
    Newtype(Box<Tree>),
    Pair(Option<Box<Tree>>, Box<(Tree,)>),
    Struct { left: Vec<Tree>, right: BTreeMap<u8, Tree> },
}

type Plainly = (bool, u8, u16, u32, u64, u128, usize);
type Signed = (i8, i16, i32, i64, i128, isize);
type Numbered = Capability<dyn Number>;

thread_local! {
    static PUPPET: Puppet = Puppet::new().expect("the system has what a channel needs");
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [shape, capabilities, data @ ..] = data else { return };
    PUPPET.with(|puppet| {
        let capabilities = usize::from(*capabilities) % (MAX_CAPABILITIES + 1);
        let mut message = MsgBuf::new();
        message.write(&data[..data.len().min(MAX_DATA)]).expect("it fits");
        for _ in 0..capabilities {
            message.push(puppet.object()).expect("it fits");
        }
        cross_as(*shape, &mut message);
        assert!((0..MAX_CAPABILITIES).all(|slot| message.take(slot).is_none()), "each was taken or dropped");
        assert_eq!(puppet.objects(), 0);
    });
});

macro_rules! shapes {
    ($($number:literal $type:ty)+) => {
        fn cross_as(shape: u8, message: &mut MsgBuf) {
            match shape {
                $($number => cross::<$type>(message, [&mut MsgBuf::new(), &mut MsgBuf::new()]),)+
                28 => relay::<Failure>(message),
                29 => relay::<Result<Holder, Failure>>(message),
                _ => cross::<()>(message, [&mut MsgBuf::new(), &mut MsgBuf::new()]),
            }
        }
    };
}
shapes! {
    0 Plainly
    1 Signed
    2 (f32, f64, char, ())
    3 (&str, String, Cow<'_, str>)
    4 Option<&str>
    5 As<&[u8], Bytes>
    6 As<Vec<u8>, Bytes>
    7 As<[u8; 40], Bytes>
    8 As<Option<Vec<u8>>, Maybe<Bytes>>
    9 As<Vec<Vec<u8>>, Each<Bytes>>
    10 As<(u32, Vec<u8>, Option<[u8; 5]>), (Plain, Bytes, Maybe<Bytes>)>
    11 As<Result<Vec<u8>, String>, Either<Bytes>>
    12 Vec<()>
    13 Vec<Vec<()>>
    14 BTreeMap<(), ()>
    15 BTreeMap<u16, String>
    16 Vec<Vec<Vec<u64>>>
    17 Tree
    18 Record
    19 Result<Tree, char>
    20 (Vec<u32>, [i16; 7], [u64; 32])
    21 Numbered
    22 Option<Numbered>
    23 (Numbered, Numbered)
    24 Vec<Numbered>
    25 Vec<Option<(Numbered, u8)>>
    26 Holder
    27 Result<Holder, u8>
}

/// Decodes a message as a value, encodes that, and does both once more.
fn cross<'m, T: Serialize + Deserialize<'m>>(message: &'m mut MsgBuf, [again, longer]: [&'m mut MsgBuf; 2]) {
    let (length, capabilities) = (message.data().len(), message.capabilities());
    let before = allocated_bytes();
    let decoded = codec::decode::<T>(message);
    assert!(allocated_bytes() - before <= MOST_ALLOCATED);
    let Ok(value) = decoded else { return };
    codec::encode(&value, again).expect("a value that came in a message fits into one");
    codec::encode(&value, longer).expect("and once more");
    drop(value);
    if longer.write(&[0]).is_ok() {
        assert!(codec::decode::<T>(longer).is_err(), "a byte is left over");
    }
    assert!(again.data().len() <= length, "ours is the shortest way to say it");
    assert_eq!(again.capabilities(), capabilities, "each was claimed once");
    let bytes = again.data().to_vec();
    let value = codec::decode::<T>(again).expect("what we encoded is a value");
    let mut third = MsgBuf::new();
    codec::encode(&value, &mut third).expect("it was encoded before");
    assert_eq!((third.data(), third.capabilities()), (&bytes[..], capabilities), "and the same one");
}

/// Decodes and encodes what may hold an error of a call: that gets longer by who relayed it, and still fits.
fn relay<'m, T: Serialize + Deserialize<'m>>(message: &'m mut MsgBuf) {
    let before = allocated_bytes();
    let decoded = codec::decode::<T>(message);
    assert!(allocated_bytes() - before <= MOST_ALLOCATED);
    let Ok(value) = decoded else { return };
    codec::encode(&value, &mut MsgBuf::new()).expect("a value that came in a message fits into one");
}
