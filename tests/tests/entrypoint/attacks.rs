//! Requests that no client of ours would send, while a bystander calls on and may see no error.

use crate::{Outcome, Place};
use portcullis_ipc::{self as ipc, MsgBuf, Refusal};
use portcullis_rpc::{Capability, Client, Error, Interface};
use portcullis_tests::resources::eventually;
use portcullis_tests::workshop::{Counter, Position, Sieve, Switch, SwitchError, Workshop};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

/// An honest client on a thread of its own, who adds 1 again and again.
struct Bystander {
    calls: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<(), Error>>,
}

impl Bystander {
    fn start(mut counter: Client<dyn Counter>) -> Bystander {
        let (calls, stop) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let (counted, stopped) = (calls.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let sum = counter.add(1)?;
                assert_eq!(sum, counted.fetch_add(1, Ordering::Relaxed) + 1, "nobody else adds");
            }
            Ok(())
        });
        Bystander { calls, stop, thread }
    }

    /// Has the attack mounted until the bystander has called some times meanwhile, and at least so often.
    fn during(&self, rounds: usize, mut attack: impl FnMut() -> Outcome) -> Outcome {
        const CALLS: u64 = 100;
        let before = self.calls.load(Ordering::Relaxed);
        let is_disturbed = || self.thread.is_finished();
        for round in 0.. {
            if round >= rounds && self.calls.load(Ordering::Relaxed) >= before + CALLS || is_disturbed() {
                break;
            }
            attack()?;
        }
        Ok(())
    }

    /// Nothing disturbed it.
    fn assert_unharmed(self) {
        self.stop.store(true, Ordering::Relaxed);
        assert_eq!(self.thread.join().expect("the sums were right"), Ok(()));
    }
}

/// A request as its sender wrote it, with a link that says what it likes.
fn request(opcode: u32, link: u64, arguments: &[u8], capabilities: &[ipc::Capability]) -> MsgBuf {
    let mut request = MsgBuf::new();
    request.set_method(opcode, link);
    request.write(arguments).expect("it fits");
    for capability in capabilities {
        request.push(capability.clone()).expect("it fits");
    }
    request
}

/// What the object answers to a call of that method with these bytes and capabilities.
fn call<I: ?Sized + Interface>(
    object: &Capability<I>,
    method: &str,
    arguments: &[u8],
    capabilities: &[ipc::Capability],
) -> Result<(), ipc::Error> {
    let opcode = I::METHODS.iter().position(|name| *name == method).expect("there is such a method");
    let request =
        request(u32::try_from(opcode).expect("few methods"), I::CHAIN[opcode], arguments, capabilities);
    object.untyped().call(&request, &mut MsgBuf::new())
}

const MALFORMED: Result<(), ipc::Error> = Err(ipc::Error::Refused(Refusal::Malformed));

pub(crate) fn attack_3_what_no_method_understands_is_an_error_reply<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let (target, sieve) = (root.switch()?, root.sieve()?);
    let bystander = Bystander::start(root.counter(1)?.client());
    let links = <dyn Switch>::CHAIN;
    let raw = |opcode, link| target.untyped().call(&request(opcode, link, &[1], &[]), &mut MsgBuf::new());
    let refused = |refusal| Err(ipc::Error::Refused(refusal));
    bystander.during(10, || {
        // Opcodes that there are not, with links that there are.
        for opcode in [3, 4, 1_000, u32::MAX] {
            assert_eq!(raw(opcode, links[2]), refused(Refusal::UnknownMethod));
        }
        for link in [links[0], 0, !links[1], u64::MAX] {
            assert_eq!(raw(1, link), refused(Refusal::WrongInterface), "no link of this method");
        }
        // An enum has two values, and so have a bool and an option; the last character is 0x10ffff, and no surrogate is one.
        for wrong in [
            [2, 1, 0, 1, b'a'].as_slice(),
            &[0xff, 0xff, 0xff, 0xff, 0x0f, 1, 0, 1, b'a'],
            &[0x82, 0x80, 0x00, 1, 0, 1, b'a'],
            &[1, 2, 0, 1, b'a'],
            &[1, 0xff, 0, 1, b'a'],
            &[1, 1, 2, 1, b'a'],
            &[1, 1, 0, 0],
            &[1, 1, 0, 2, b'a', b'b'],
            &[1, 1, 0, 4, 0xf4, 0x90, 0x80, 0x80],
            &[1, 1, 0, 3, 0xed, 0xa0, 0x80],
        ] {
            assert_eq!(call(&sieve, "few", wrong, &[]), MALFORMED, "{wrong:?}");
        }
        // Neither UTF-8 nor as many bytes as there should be.
        for wrong in [
            [2, 0xc3, 0x28, 4, 1, 2, 3, 4].as_slice(),
            &[1, 0xff, 4, 1, 2, 3, 4],
            &[3, 0xe2, 0x82, 0xac, 3, 1, 2, 3],
            &[0, 5, 1, 2, 3, 4, 5],
            &[0, 4, 1, 2, 3],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, b'a', 4, 1, 2, 3, 4],
            &[0x80; 20],
        ] {
            assert_eq!(call(&sieve, "text", wrong, &[]), MALFORMED, "{wrong:?}");
        }
        for wrong in [&[][..], &[1, 0], &[1; 1024]] {
            assert_eq!(call(&target, "lock", wrong, &[]), MALFORMED, "too few or too many bytes");
        }
        Ok(())
    })?;
    assert_eq!(target.client().state()?, (Position::Left, false), "nothing of it had an effect");
    assert_eq!(sieve.client().passed()?.calls, 0);
    // What is well formed has.
    assert_eq!(call(&target, "lock", &[1], &[]), Ok(()));
    assert_eq!(call(&sieve, "few", &[1, 1, 0, 1, b'a'], &[]), Ok(()));
    assert_eq!(call(&sieve, "text", &[3, 0xe2, 0x82, 0xac, 4, 1, 2, 3, 4], &[]), Ok(()));
    assert_eq!(target.client().state()?, (Position::Left, true));
    assert_eq!(sieve.client().passed()?.calls, 2);
    bystander.assert_unharmed();
    Ok(())
}

/// A length as a list says it.
fn length(mut length: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while length >= 0x80 {
        bytes.push(u8::try_from(length & 0x7f).unwrap_or(0) | 0x80);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).unwrap_or(0));
    bytes
}

pub(crate) fn attack_4_bombs_of_lists_cost_no_more_than_their_bytes<P: Place>() -> Outcome {
    const ROUNDS: usize = 100;
    /// What a bomb may cost its server, the waiting between two calls included: fifty times what it does.
    const MOST_MICROS: u64 = 5_000;

    let host = P::start()?;
    let mut root = host.root.client();
    let sieve = root.sieve()?;
    let bystander = Bystander::start(root.counter(1)?.client());
    let mut bombs: Vec<(&str, Vec<u8>)> = Vec::new();
    // Elements that take no bytes: there is nothing that would end them.
    for count in [1_025, 1 << 20, 1 << 32, 1 << 56, u64::MAX] {
        bombs.push(("nothing", length(count)));
        bombs.push(("map", length(count)));
        bombs.push(("nothings", [length(1), length(count)].concat()));
        // And each list says that it has as many lists.
        bombs.push(("lists", length(count).repeat(1_024 / length(count).len())));
        bombs.push(("tree", [vec![2], length(count)].concat().repeat(1_024 / (1 + length(count).len()))));
    }
    // As many as the limit for each list, in as many lists as there is room for.
    bombs.push(("nothings", [length(500), length(1_000).repeat(500)].concat()));
    bombs.push(("nothings", [length(8), length(200).repeat(8)].concat()));
    // Values in values, to the end of the message.
    bombs.push(("tree", [vec![1; 1_023], vec![0]].concat()));
    bombs.push(("tree", [[2, 1].repeat(511), vec![0]].concat()));

    let before = sieve.client().passed()?;
    let mut mounted = 0;
    bystander.during(ROUNDS, || {
        for (method, bomb) in &bombs {
            assert_eq!(call(&sieve, method, bomb, &[]), MALFORMED, "{method}: {bomb:?}");
            mounted += 1;
        }
        Ok(())
    })?;
    let after = sieve.client().passed()?;
    assert_eq!(after.calls, before.calls, "no bomb reached its method");
    let each = (after.micros - before.micros) / mounted;
    assert!(each <= MOST_MICROS, "a bomb took its server {each} µs");
    // What is within the limits passes.
    assert_eq!(call(&sieve, "nothing", &length(1_000), &[]), Ok(()));
    assert_eq!(call(&sieve, "tree", &[vec![1; 50], vec![0]].concat(), &[]), Ok(()));
    bystander.assert_unharmed();
    Ok(())
}

pub(crate) fn attack_6_a_capability_of_another_interface_is_an_error_reply<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let (switch, counter) = (root.switch()?, root.counter(1)?);
    let bystander = Bystander::start(root.counter(2)?.client());
    // The compiler would refuse it: so the capability is typed by force.
    let posing: Capability<dyn Counter> = Capability::from_untyped(switch.untyped().clone());
    let posing_switch: Capability<dyn Switch> = Capability::from_untyped(counter.untyped().clone());
    let posing_sieve: Capability<dyn Sieve> = Capability::from_untyped(counter.untyped().clone());
    let other = P::start()?;
    let mut stranger = other.root.client();
    let wrong_interface = Error::Relayed(Error::WrongInterface.to_string());
    bystander.during(10, || {
        assert_eq!(posing.client().add(1), Err(Error::WrongInterface));
        assert_eq!(posing_switch.client().lock(true), Err(SwitchError::Rpc(Error::WrongInterface)));
        // An interface with more methods than the object's: some opcodes there are not.
        assert_eq!(posing_sieve.client().passed(), Err(Error::WrongInterface));
        assert_eq!(posing_sieve.client().text("", [0; 4]), Err(Error::UnknownMethod));
        // As an argument: whoever uses it meets the error, and says so.
        stranger.keep(posing.clone())?;
        assert_eq!(stranger.add_to_kept(1), Err(wrong_interface.clone()));
        assert_eq!(root.apply(posing.clone(), 1), Err(wrong_interface.clone()), "at its own entrypoint, too");
        Ok(())
    })?;
    assert_eq!((switch.client().state()?, counter.client().add(1)?), ((Position::Left, false), 1));
    bystander.assert_unharmed();
    Ok(())
}

pub(crate) fn attack_6_capability_slots_that_lie_are_an_error_reply<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let (sieve, target) = (root.sieve()?, root.switch()?);
    let bystander = Bystander::start(root.counter(2)?.client());
    let counted = root.counted(7)?;
    let slots: Vec<_> = (0..4).map(|_| counted.untyped().clone()).collect();
    bystander.during(10, || {
        // No such slot, one twice, one that nobody claims, a claim without any, a slot beyond a byte.
        for (claims, sent) in
            [([0, 2], 2), ([0xff, 0], 2), ([0, 0], 2), ([0, 0], 1), ([0, 1], 3), ([0, 1], 4), ([0, 1], 0)]
        {
            let answer = call(&sieve, "two", &claims, &slots[..sent]);
            assert_eq!(answer, MALFORMED, "{claims:?} of {sent}");
        }
        assert_eq!(call(&sieve, "two", &[0], &slots[..1]), MALFORMED, "one is missing");
        assert_eq!(call(&sieve, "two", &[0, 1, 0], &slots[..2]), MALFORMED, "one too many");
        assert_eq!(call(&target, "lock", &[1], &slots[..1]), MALFORMED, "nobody asked for one");
        Ok(())
    })?;
    assert_eq!((sieve.client().passed()?.calls, target.client().state()?), (0, (Position::Left, false)));
    assert_eq!(call(&sieve, "two", &[1, 0], &slots[..2]), Ok(()), "the order is the sender's");
    // The server kept none of them: with ours the last one goes.
    assert_eq!(root.holdings()?.unreferenced, 0);
    drop((slots, counted));
    assert!(eventually(|| root.holdings().is_ok_and(|holdings| holdings.unreferenced == 1)));
    bystander.assert_unharmed();
    Ok(())
}
