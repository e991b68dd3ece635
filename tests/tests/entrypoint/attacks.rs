//! Requests that no client of ours would send.

use crate::{Outcome, Place};
use portcullis_ipc::{self as ipc, MsgBuf, Refusal};
use portcullis_rpc::{Capability, Error, Interface};
use portcullis_tests::workshop::{Counter, Position, Switch, SwitchError, Workshop};

pub(crate) fn attack_3_what_no_method_understands_is_an_error_reply<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let (target, mut bystander) = (root.switch()?, root.counter(1)?.client());
    let call = |opcode: u32, link: u64, arguments: &[u8]| {
        let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
        send.set_method(opcode, link);
        send.write(arguments)?;
        target.untyped().call(&send, &mut receive)
    };
    let links = <dyn Switch>::CHAIN;
    let refused = |refusal| Err(ipc::Error::Refused(refusal));
    let (set, lock) = (0, 1);
    // Opcodes that there are not, with links that there are.
    for opcode in [3, 4, 1_000, u32::MAX] {
        assert_eq!(call(opcode, links[2], &[]), refused(Refusal::UnknownMethod));
    }
    assert_eq!(call(lock, links[0], &[1]), refused(Refusal::WrongInterface), "a link of another method");
    // An enum has two values, and so has a bool.
    for arguments in [&[2_u8][..], &[0xff], &[0xff; 5], &[0x82, 0x00]] {
        assert_eq!(call(set, links[0], arguments), refused(Refusal::Malformed), "{arguments:?}");
        assert_eq!(call(lock, links[1], arguments), refused(Refusal::Malformed), "{arguments:?}");
    }
    for arguments in [&[][..], &[1, 0], &[1; 1024]] {
        assert_eq!(call(lock, links[1], arguments), refused(Refusal::Malformed), "too few or too many bytes");
    }
    // A capability that nobody asked for.
    let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
    send.set_method(lock, links[1]);
    send.write(&[1])?;
    send.push(target.untyped().clone())?;
    assert_eq!(target.untyped().call(&send, &mut receive), refused(Refusal::Malformed));

    assert_eq!(target.client().state()?, (Position::Left, false), "nothing of it had an effect");
    assert_eq!(call(lock, links[1], &[1]), Ok(()), "what is well formed has");
    assert_eq!(target.client().state()?, (Position::Left, true));
    assert_eq!(bystander.add(1)?, 1);
    Ok(())
}

pub(crate) fn attack_6_a_capability_of_another_interface_is_an_error_reply<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let (switch, counter) = (root.switch()?, root.counter(1)?);
    // The compiler would refuse it: so the capability is typed by force.
    let posing: Capability<dyn Counter> = Capability::from_untyped(switch.untyped().clone());
    assert_eq!(posing.client().add(1), Err(Error::WrongInterface));
    let posing_switch: Capability<dyn Switch> = Capability::from_untyped(counter.untyped().clone());
    assert_eq!(posing_switch.client().lock(true), Err(SwitchError::Rpc(Error::WrongInterface)));
    // As an argument: whoever uses it meets the error, and says so.
    let other = P::start()?;
    let mut stranger = other.root.client();
    stranger.keep(posing.clone())?;
    assert_eq!(stranger.add_to_kept(1), Err(Error::Relayed(Error::WrongInterface.to_string())));
    let wrong_type = Error::Relayed(Error::WrongInterface.to_string());
    assert_eq!(root.apply(posing, 1), Err(wrong_type), "at its own entrypoint, too");
    assert_eq!((switch.client().state()?, counter.client().add(1)?), ((Position::Left, false), 1));
    Ok(())
}
