//! What an interface is, seen from a client in the same process and in another one. That what must not compile does not is
//! shown by `rpc/tests/compile_fail`.

use crate::{Outcome, Place};
use portcullis_ipc::{Error as Untyped, MsgBuf, Refusal};
use portcullis_rpc::{Capability, Error, Interface, codec};
use portcullis_tests::resources::eventually;
use portcullis_tests::workshop::{Counter, Gauge, Workshop};

/// A counter of this very thread.
#[derive(Default)]
struct Local(u64);

impl Counter for Local {
    fn add(&mut self, amount: u64) -> Result<u64, Error> {
        self.0 += amount;
        Ok(self.0)
    }

    fn number(&mut self) -> Result<u64, Error> {
        Ok(7)
    }

    fn thread(&mut self) -> Result<String, Error> {
        Ok(format!("{:?}", std::thread::current().id()))
    }

    fn end(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// Code that knows the trait alone, and not where the object lives.
fn count(counter: &mut impl Counter) -> Result<(u64, u64), Error> {
    counter.add(2)?;
    Ok((counter.number()?, counter.add(3)?))
}

fn count_dynamically(counter: &mut dyn Counter) -> Result<u64, Error> {
    counter.add(1)
}

pub(crate) fn g11_an_interface_is_a_trait_and_code_for_it_runs_here_and_there<P: Place>() -> Outcome {
    let host = P::start()?;
    let (mut local, mut remote) = (Local::default(), host.root.client().counter(7)?.client());
    assert_eq!(count(&mut local)?, (7, 5));
    assert_eq!(count(&mut remote)?, (7, 5));
    assert_eq!((count_dynamically(&mut local)?, count_dynamically(&mut remote)?), (6, 6));
    assert_ne!(local.thread()?, remote.thread()?);
    Ok(())
}

pub(crate) fn g12_opcodes_follow_the_declaration_and_arguments_go_both_ways<P: Place>() -> Outcome {
    let host = P::start()?;
    let counter = host.root.client().counter(4)?;
    assert_eq!(<dyn Counter>::METHODS, ["add", "number", "thread", "end"]);
    assert_eq!(<dyn Gauge>::METHODS, ["add", "number", "thread", "end", "reset"], "its base's come first");
    // By hand: opcode and arguments there, the result back.
    let call = |opcode: u32, arguments: &[u64]| -> Result<Result<u64, Error>, Untyped> {
        let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
        match *arguments {
            [argument] => codec::encode(&(argument,), &mut send),
            _ => codec::encode(&(), &mut send),
        }
        .expect("it fits");
        send.set_method(opcode, <dyn Counter>::CHAIN.get(opcode as usize).copied().unwrap_or(0));
        counter.untyped().call(&send, &mut receive)?;
        Ok(codec::decode(&mut receive).expect("a result"))
    };
    assert_eq!(call(0, &[30])?, Ok(30));
    assert_eq!(call(1, &[])?, Ok(4));
    assert_eq!(call(0, &[12])?, Ok(42));
    assert_eq!(call(4, &[]), Err(Untyped::Refused(Refusal::UnknownMethod)), "there are no more");
    assert_eq!(call(0, &[]), Err(Untyped::Refused(Refusal::Malformed)), "an argument is missing");
    assert_eq!(counter.client().add(0)?, 42);
    Ok(())
}

pub(crate) fn g13_a_capability_has_the_type_of_its_interface_and_its_client_is_a_proxy<P: Place>() -> Outcome
{
    let host = P::start()?;
    let counter = host.root.client().counter(1)?;
    // The proxy is a value of this process, as good as the object; clones are the same object.
    let (mut one, mut other) = (counter.client(), counter.client());
    assert_eq!((one.add(1)?, other.add(1)?, one.clone().add(1)?), (1, 2, 3));
    // Who alleges another type by force is told so, and nothing happens.
    let alleged: Capability<dyn Workshop> = Capability::from_untyped(counter.untyped().clone());
    assert_eq!(alleged.client().holdings().err(), Some(Error::WrongInterface));
    assert_eq!(one.add(0)?, 3);
    Ok(())
}

pub(crate) fn g14_a_session_is_an_object_and_a_connection_its_arguments_and_a_client<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let before = root.holdings()?;
    // Opened with an argument, each a state of its own.
    let (mut first, mut second) = (root.counter(1)?.client(), root.counter(2)?.client());
    assert_eq!((first.number()?, second.number()?), (1, 2));
    assert_eq!((first.add(10)?, second.add(20)?, first.add(1)?), (10, 20, 11));
    assert_eq!(root.holdings()?.objects, before.objects + 2);
    // Closed by its capability, which is recognised when it comes home; the other one goes on.
    assert!(root.dissolve(first.capability().clone())?);
    assert_eq!(first.number(), Err(Error::InvalidCapability));
    assert_eq!(second.add(1)?, 21);
    drop((first, second));
    assert!(eventually(|| root.holdings().is_ok_and(|now| now.rows == before.rows)));
    Ok(())
}

pub(crate) fn g15_a_capability_goes_where_one_of_its_base_goes<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let gauge = root.gauge(9)?;
    let counter: Capability<dyn Counter> = gauge.clone().upcast();
    assert_eq!((counter.client().add(5)?, gauge.client().number()?), (5, 9));
    // As an argument, too.
    root.keep(gauge.clone().upcast())?;
    assert_eq!(root.add_to_kept(1), Err(Error::Relayed(Error::CallCycle.to_string())), "it is its own");
    assert_eq!(root.apply(counter.clone(), 2)?, 7);
    assert_eq!((gauge.client().reset()?, counter.client().add(1)?), (7, 1));
    // The way back is by force only, and the object itself decides.
    let plain: Capability<dyn Gauge> = Capability::from_untyped(root.counter(3)?.into_untyped());
    assert_eq!(plain.client().number()?, 3, "what they share");
    assert_eq!(plain.client().reset(), Err(Error::UnknownMethod));
    Ok(())
}
