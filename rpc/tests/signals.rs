//! Signal contexts as arguments and results, wherever a capability may stand.

mod support;

use portcullis_ipc::{Badge, Deadline, Event, MsgBuf, Pd, Server, SignalLevel};
use portcullis_rpc::{Capability, Error, SignalCapability, WireSize, rpc_interface};
use serde::{Deserialize, Serialize};
use support::host;

/// Whom to tell of what.
#[derive(Debug, Serialize, Deserialize)]
struct Listeners {
    name: String,
    ready: SignalCapability,
    /// Perhaps nobody.
    closed: Option<SignalCapability>,
}

#[rpc_interface]
trait Desk {
    fn sigh(&mut self, context: SignalCapability) -> Result<(), Error>;
    fn bare(&mut self, context: SignalCapability) -> Result<SignalCapability, Error>;
    fn maybe(&mut self, context: Option<SignalCapability>) -> Result<Option<SignalCapability>, Error>;
    fn mixed(
        &mut self,
        context: (u8, SignalCapability),
        desk: Capability<dyn Desk>,
        more: Vec<SignalCapability>,
    ) -> Result<(Vec<SignalCapability>, Capability<dyn Desk>), Error>;
    fn whole(&mut self, listeners: Listeners) -> Result<Listeners, Error>;
}

/// Submits to what it gets, and gives it back.
struct Clerk;

impl Desk for Clerk {
    fn sigh(&mut self, context: SignalCapability) -> Result<(), Error> {
        context.submit();
        Ok(())
    }

    fn bare(&mut self, context: SignalCapability) -> Result<SignalCapability, Error> {
        Ok(context)
    }

    fn maybe(&mut self, context: Option<SignalCapability>) -> Result<Option<SignalCapability>, Error> {
        Ok(context)
    }

    fn mixed(
        &mut self,
        (number, context): (u8, SignalCapability),
        desk: Capability<dyn Desk>,
        mut more: Vec<SignalCapability>,
    ) -> Result<(Vec<SignalCapability>, Capability<dyn Desk>), Error> {
        more.insert(usize::from(number), context);
        Ok((more, desk))
    }

    fn whole(&mut self, listeners: Listeners) -> Result<Listeners, Error> {
        Ok(Listeners { name: listeners.name.to_uppercase(), ..listeners })
    }
}

/// Contexts of this thread.
fn contexts(server: &mut Server, count: usize) -> Vec<(Badge, SignalCapability)> {
    (0..count)
        .map(|_| {
            let (badge, context) = server.mint_context(SignalLevel::Application).expect("there is room");
            (badge, SignalCapability::from_untyped(context))
        })
        .collect()
}

/// Whether submitting to the one is received as a signal of the other.
fn leads_to(server: &mut Server, context: &SignalCapability, badge: Badge) -> bool {
    context.submit();
    let event = server.next(&mut MsgBuf::new(), Deadline::Never).expect("there is a signal");
    matches!(event, Event::Signal(of) if of == badge)
}

#[test]
fn a_signal_context_goes_wherever_a_capability_may_stand() -> Result<(), Error> {
    let mut server = Server::new(&Pd::new()?)?;
    let desk = host::<dyn Desk, Clerk>(|| Clerk);
    let mut client = desk.client();
    let all = contexts(&mut server, 3);
    let [(zero, first), (one, second), (two, third)] = &all[..] else { unreachable!("there are three") };

    client.sigh(first.clone())?;
    let event = server.next(&mut MsgBuf::new(), Deadline::Never)?;
    assert!(matches!(event, Event::Signal(of) if of == *zero), "a method of another thread submitted");

    assert!(leads_to(&mut server, &client.bare(second.clone())?, *one));
    assert!(client.maybe(None)?.is_none());
    let back = client.maybe(Some(third.clone()))?.expect("it was sent");
    assert!(leads_to(&mut server, &back, *two));

    let (back, same) = client.mixed((1, first.clone()), desk.clone(), vec![second.clone(), third.clone()])?;
    for (context, badge) in back.iter().zip([one, zero, two]) {
        assert!(leads_to(&mut server, context, *badge));
    }
    assert!(same.same_object(&desk, Deadline::Never)?);

    let listeners = Listeners { name: "n".into(), ready: first.clone(), closed: Some(second.clone()) };
    let Listeners { name, ready, closed } = client.whole(listeners)?;
    assert_eq!(name, "N");
    assert!(leads_to(&mut server, &ready, *zero));
    assert!(leads_to(&mut server, &closed.expect("it was sent"), *one));
    assert!(ready.same_context(first, Deadline::Never)?);
    Ok(())
}

#[test]
fn what_does_not_fit_is_not_sent_and_what_is_none_does_nothing() -> Result<(), Error> {
    let mut server = Server::new(&Pd::new()?)?;
    let desk = host::<dyn Desk, Clerk>(|| Clerk);
    let contexts: Vec<_> = contexts(&mut server, 5).into_iter().map(|context| context.1).collect();
    let too_many = desk.client().mixed((0, contexts[0].clone()), desk.clone(), contexts[1..4].to_vec());
    assert!(matches!(too_many, Err(Error::TooManyCapabilities)), "{too_many:?}");
    assert_eq!(SignalCapability::BYTES, 1);
    // A context is no object, and an object no context.
    let as_desk: Capability<dyn Desk> = Capability::from_untyped(contexts[0].untyped().clone());
    let as_context = SignalCapability::from_untyped(desk.untyped().clone());
    as_context.submit();
    assert!(desk.client().maybe(Some(as_context))?.is_some(), "it is passed on as it is");
    assert!(format!("{as_desk:?} {:?}", contexts[0]).contains("SignalCapability(Capability("));
    // Outside of a call it travels nowhere.
    assert!(postcard::to_stdvec(&contexts[0]).is_err());
    Ok(())
}
