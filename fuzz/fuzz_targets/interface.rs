//! An interface as the macro makes it: its dispatcher gets any request, its proxy any reply.
#![no_main]

#[path = "../../tests/src/counting_allocator.rs"]
#[allow(dead_code)] // bytes are counted here, not allocations
mod counting_allocator;
#[path = "../../rpc/tests/support/echo.rs"]
mod echo;

use counting_allocator::{CountingAllocator, allocated_bytes};
use echo::{Choice, Echo, Failure, Holder, Kind, Mirror, Record};
use portcullis_ipc::fuzzing::Puppet;
use portcullis_ipc::{MAX_CAPABILITIES, MAX_DATA, MsgBuf, Refusal};
use portcullis_rpc::{Capability, Client, Error, Interface, Outcome, serve};
use std::cell::RefCell;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// What a call may ask for on either side, in bytes.
const MOST_ALLOCATED: u64 = 2 << 20;

thread_local! {
    static PUPPET: RefCell<(Puppet, Client<dyn Echo>)> = {
        let puppet = Puppet::new().expect("the system has what a channel needs");
        let client = Capability::from_untyped(puppet.capability()).client();
        RefCell::new((puppet, client))
    };
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [direction, method, capabilities, data @ ..] = data else { return };
    PUPPET.with_borrow_mut(|(puppet, client)| {
        let capabilities = usize::from(*capabilities) % (MAX_CAPABILITIES + 1);
        let mut message = MsgBuf::new();
        message.write(&data[..data.len().min(MAX_DATA)]).expect("it fits");
        for _ in 0..capabilities {
            message.push(puppet.object()).expect("it fits");
        }
        let before = allocated_bytes();
        match direction % 4 {
            0 => receive(client, puppet, *method, &message),
            _ => request(client, puppet, *method, direction % 4 == 1, &mut message),
        }
        assert!(allocated_bytes() - before <= MOST_ALLOCATED);
        message.clear();
        assert_eq!(puppet.objects(), 0, "capabilities are neither lost nor doubled");
    });
});

/// A request: carried out or refused, and what answers it is a result.
fn request(
    client: &mut Client<dyn Echo>,
    puppet: &mut Puppet,
    method: u8,
    foreign: bool,
    message: &mut MsgBuf,
) {
    let chain = <dyn Echo>::CHAIN;
    let link = chain.get(usize::from(method)).copied().unwrap_or_default();
    // A link of another method is a wrong one, too.
    let sent = if foreign { chain[usize::from(method ^ 1) % chain.len()] } else { link };
    let capabilities = message.capabilities();
    message.set_method(method.into(), sent);
    let mut reply = MsgBuf::new();
    match serve::<dyn Echo, _>(&mut Mirror, message, &mut reply) {
        Err(Refusal::UnknownMethod) => assert!(usize::from(method) >= chain.len()),
        Err(Refusal::WrongInterface) => assert_ne!(sent, link),
        Err(Refusal::Malformed | Refusal::Unanswerable) => {
            assert!((0..MAX_CAPABILITIES).all(|slot| message.take(slot).is_none()), "they are dropped");
        }
        Ok(Outcome::Answered) => {
            assert_eq!(sent, link);
            assert_eq!(reply.capabilities(), capabilities, "the mirror returns what it gets");
            puppet.answer(&reply);
            let result = call(client, method);
            let failed = matches!(result, Err(Failure::Rpc(Error::MalformedResult)));
            assert!(!failed, "what the dispatcher encodes the proxy decodes");
        }
        other => panic!("{other:?}"),
    }
}

/// A reply: a result, or the server's fault.
fn receive(client: &mut Client<dyn Echo>, puppet: &mut Puppet, method: u8, message: &MsgBuf) {
    let method = method % u8::try_from(<dyn Echo>::CHAIN.len()).expect("there are few methods");
    puppet.answer(message);
    match call(client, method) {
        Ok(()) | Err(Failure::Full | Failure::Missing { .. }) => {}
        Err(Failure::Rpc(Error::MalformedResult | Error::Relayed(_))) => {}
        Err(Failure::Rpc(other)) => panic!("the bytes posed as {other:?}"),
    }
}

/// Calls a method with some arguments; what it returns is of no interest.
fn call(client: &mut Client<dyn Echo>, method: u8) -> Result<(), Failure> {
    let number = || Capability::from_untyped(client.capability().untyped().clone());
    let record = || Record { name: String::new(), key: [0; 40], value: Vec::new(), kind: Kind::Plain };
    let empty = || Holder { first: None, number: 0, rest: Vec::new() };
    let (first, second) = (number(), number());
    match method {
        0 => client.nothing(),
        1 => client.unsigned(0, 0, 0, 0, 0, 0).map(drop),
        2 => client.signed((0, 0, 0, 0, 0, 0)).map(drop),
        3 => client.others(false, 'a', 0.0, 0.0, ()).map(drop),
        4 => client.text("", String::new()).map(drop),
        5 => client.maybe_text(None).map(drop),
        6 => client.bytes(&[], Vec::new()).map(drop),
        7 => client.all_bytes(Vec::new()).map(drop),
        8 => client.array([0; 3], [0; 300]).map(drop),
        9 => client.maybe_bytes(None, None).map(drop),
        10 => client.lists_of_bytes(Vec::new()).map(drop),
        11 => client.mixed((0, Vec::new(), None)).map(drop),
        12 => client.numbers(Vec::new(), [0; 7]).map(drop),
        13 => client.map(Default::default()).map(drop),
        14 => client.record(record()).map(drop),
        15 => client.fail(Failure::Full).map(drop),
        16 => client.later(record(), Vec::new()).get().map(drop),
        17 => client.bare(first, 0).map(drop),
        18 => client.maybe(None).map(drop),
        19 => client.pair((first, second)).map(drop),
        20 => client.list(Vec::new()).map(drop),
        21 => client.holder(empty(), &[]).map(drop),
        22 => client.records(Vec::new()).map(drop),
        23 => client.nested(None).map(drop),
        24 => client.choice(Choice::None).map(drop),
        25 => client.fail_later(Failure::Full).get().map(drop),
        26 => client.holder_later(empty()).get().map(drop),
        other => panic!("method {other} is not called here"),
    }
}
