//! Peers that do not keep to the format: their bytes are refused, and nothing else happens.

mod support;

use portcullis_ipc::{self as ipc, Deadline, MsgBuf, Pd, Refusal, Server};
use portcullis_rpc::{Capability, Client, Error, Interface, Outcome, serve};
use proptest::collection::vec;
use proptest::prelude::*;
use std::cell::RefCell;
use std::sync::{LazyLock, mpsc};
use support::echo::{Echo, Failure, Kind, Mirror, Number, Record};
use support::host;

static MIRROR: LazyLock<Capability<dyn Echo>> = LazyLock::new(|| host::<dyn Echo, _>(|| Mirror));
static NUMBER: LazyLock<Capability<dyn Number>> = LazyLock::new(|| host::<dyn Number, _>(|| 7_u32));

fn opcode_of(method: &str) -> u32 {
    let place = <dyn Echo>::METHODS.iter().position(|name| *name == method).expect("there is such a method");
    u32::try_from(place).expect("there are few methods")
}

/// A request as its sender wrote it.
fn request(opcode: u32, link: u64, data: &[u8], capabilities: usize) -> MsgBuf {
    let mut request = MsgBuf::new();
    request.set_method(opcode, link);
    request.write(data).expect("it fits");
    for _ in 0..capabilities {
        request.push(NUMBER.untyped().clone()).expect("it fits");
    }
    request
}

fn link(opcode: u32) -> u64 {
    <dyn Echo>::CHAIN[opcode as usize]
}

/// What the server says to a call of that method with these bytes and capabilities.
fn answer(method: &str, data: &[u8], capabilities: usize) -> Result<(), ipc::Error> {
    let opcode = opcode_of(method);
    let mut reply = MsgBuf::new();
    MIRROR.untyped().call(&request(opcode, link(opcode), data, capabilities), &mut reply)
}

const MALFORMED: Result<(), ipc::Error> = Err(ipc::Error::Refused(Refusal::Malformed));

#[test]
fn attack_3_an_unknown_opcode_is_refused() {
    for opcode in [u32::try_from(<dyn Echo>::CHAIN.len()).unwrap(), u32::MAX] {
        let unknown = MIRROR.untyped().call(&request(opcode, 0, &[], 0), &mut MsgBuf::new());
        assert_eq!(unknown, Err(ipc::Error::Refused(Refusal::UnknownMethod)));
    }
}

#[test]
fn attack_3_values_that_no_type_has_are_refused() {
    // A bool that is 2; a character beyond Unicode; an option that is neither; a variant beyond the last.
    assert_eq!(answer("others", &[[2].as_slice(), &[1, b'a'], &[0; 12]].concat(), 0), MALFORMED);
    assert_eq!(
        answer("others", &[[1].as_slice(), &[4, 0xf7, 0xbf, 0xbf, 0xbf], &[0; 12]].concat(), 0),
        MALFORMED
    );
    assert_eq!(answer("maybe_text", &[2, 0], 0), MALFORMED);
    assert_eq!(answer("fail", &[3], 0), MALFORMED);
    // The same with values that there are.
    assert_eq!(answer("others", &[[1].as_slice(), &[1, b'a'], &[0; 12]].concat(), 0), Ok(()));
    assert_eq!(answer("fail", &[0], 0), Ok(()));
}

#[test]
fn a_string_that_is_no_utf_8_is_refused() {
    assert_eq!(answer("maybe_text", &[1, 2, 0xc3, 0x28], 0), MALFORMED);
}

#[test]
fn bytes_that_are_too_few_or_too_many_are_refused() {
    assert_eq!(answer("nothing", &[], 0), Ok(()));
    assert_eq!(answer("nothing", &[0], 0), MALFORMED);
    assert_eq!(answer("all_bytes", &[3, 1, 2], 0), MALFORMED);
    assert_eq!(answer("all_bytes", &[2, 1, 2, 3], 0), MALFORMED);
    assert_eq!(answer("array", &[3, 1, 2, 3, 1, 0], 0), MALFORMED);
}

#[test]
fn a_capability_slot_is_claimed_exactly_once() {
    assert_eq!(answer("bare", &[0, 9], 1), Ok(()));
    // No such slot; none at all; one that nobody claims; one that is claimed twice.
    assert_eq!(answer("bare", &[1, 9], 1), MALFORMED);
    assert_eq!(answer("bare", &[0, 9], 0), MALFORMED);
    assert_eq!(answer("bare", &[0, 9], 2), MALFORMED);
    assert_eq!(answer("pair", &[0, 0], 1), MALFORMED);
    assert_eq!(answer("pair", &[0, 0], 2), MALFORMED);
    // The order is the sender's.
    assert_eq!(answer("pair", &[1, 0], 2), Ok(()));
}

#[test]
fn attack_6_a_capability_of_another_interface_is_refused_at_each_method() {
    let wrong = Capability::<dyn Echo>::from_untyped(NUMBER.untyped().clone());
    assert_eq!(wrong.client().nothing(), Err(Failure::Rpc(Error::WrongInterface)));
    assert_eq!(wrong.client().all_bytes(vec![1]), Err(Failure::Rpc(Error::UnknownMethod)));
    assert_eq!(NUMBER.client().number(), Ok(7), "the object is as it was");
}

#[test]
fn attack_6_a_capability_of_another_interface_within_arguments_is_found_out_when_it_is_called() {
    let wrong = Capability::<dyn Number>::from_untyped(MIRROR.untyped().clone());
    let back = MIRROR.client().bare(wrong, 0).unwrap();
    assert_eq!(back.client().number(), Err(Error::WrongInterface));
}

/// Bytes, and how many capabilities.
type Lie = (Vec<u8>, usize);

/// A server that answers with whatever the thread that asks has put there.
fn liar() -> (Capability<dyn Echo>, mpsc::Sender<Lie>) {
    let (capability_out, capability) = mpsc::channel();
    let (answers_in, answers) = mpsc::channel::<Lie>();
    std::thread::spawn(move || -> Result<(), ipc::Error> {
        let mut server = Server::new(&Pd::new()?)?;
        let _ = capability_out.send(server.capability());
        let mut message = MsgBuf::new();
        loop {
            let caller = server.wait(&mut message, Deadline::Never)?.caller;
            let Ok((data, capabilities)) = answers.recv() else { return Ok(()) };
            server.reply(caller, &request(0, 0, &data, capabilities))?;
        }
    });
    (Capability::from_untyped(capability.recv().expect("the server thread starts")), answers_in)
}

thread_local! {
    static LIAR: (RefCell<Client<dyn Echo>>, mpsc::Sender<Lie>) = {
        let (capability, answers) = liar();
        (RefCell::new(capability.client()), answers)
    };
}

/// Calls every method that is worth it, and gets the same answer from all.
fn lie(data: &[u8], capabilities: usize) {
    let record = || Record { name: String::new(), key: [0; 40], value: Vec::new(), kind: Kind::Plain };
    LIAR.with(|(client, answers)| {
        let client = &mut *client.borrow_mut();
        let check = |result: Result<(), Failure>| match result {
            // A failure of the transport can only be the one that is true.
            Err(Failure::Rpc(Error::MalformedResult | Error::Relayed(_))) | Ok(()) => {}
            Err(Failure::Full | Failure::Missing { .. }) => {}
            Err(Failure::Rpc(other)) => panic!("the liar's bytes posed as {other:?}"),
        };
        let next = || answers.send((data.to_vec(), capabilities)).expect("the liar lives");
        next();
        check(client.nothing());
        next();
        check(client.unsigned(0, 0, 0, 0, 0, 0).map(|_| ()));
        next();
        check(client.others(false, 'a', 0.0, 0.0, ()).map(|_| ()));
        next();
        check(client.text("", String::new()).map(|_| ()));
        next();
        check(client.lists_of_bytes(Vec::new()).map(|_| ()));
        next();
        check(client.array([0; 3], [0; 300]).map(|_| ()));
        next();
        check(client.map(std::collections::BTreeMap::new()).map(|_| ()));
        next();
        check(client.record(record()).map(|_| ()));
        next();
        check(client.later(record(), Vec::new()).get().map(|_| ()));
        next();
        check(client.list(Vec::new()).map(|_| ()));
    });
}

/// Bytes that are often nearly right: small numbers, and lengths.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![4 => 0..4_u8, 2 => 4..40_u8, 1 => Just(0xff_u8), 1 => any::<u8>()];
    prop_oneof![4 => vec(byte, 0..60), 1 => vec(any::<u8>(), 0..1024)]
}

proptest! {
    /// Whatever the bytes are: the dispatcher refuses them or carries the call out, and ends.
    #[test]
    fn any_request_is_refused_or_carried_out(
        method in 0..<dyn Echo>::CHAIN.len(),
        data in bytes(),
        capabilities in 0..5_usize,
    ) {
        let opcode = u32::try_from(method).unwrap();
        let mut request = request(opcode, link(opcode), &data, capabilities);
        let mut reply = MsgBuf::new();
        match serve::<dyn Echo, _>(&mut Mirror, &mut request, &mut reply) {
            Ok(Outcome::Answered) | Err(Refusal::Malformed | Refusal::Unanswerable) => {}
            other => prop_assert!(false, "{other:?}"),
        }
    }

    /// Whatever the link is: only the right one lets a call in.
    #[test]
    fn any_other_link_is_refused(method in 0..<dyn Echo>::CHAIN.len(), link: u64) {
        prop_assume!(!<dyn Echo>::CHAIN.contains(&link));
        let mut request = request(u32::try_from(method).unwrap(), link, &[], 0);
        let refused = serve::<dyn Echo, _>(&mut Mirror, &mut request, &mut MsgBuf::new());
        prop_assert_eq!(refused.unwrap_err(), Refusal::WrongInterface);
    }

    /// Whatever a server answers: the proxy returns a result or says that it is none.
    #[test]
    fn any_reply_is_a_result_or_the_servers_fault(data in bytes(), capabilities in 0..5_usize) {
        lie(&data, capabilities);
    }
}
