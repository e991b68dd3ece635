//! How a call runs: steps of figure 5.

use crate::{Outcome, Place};
use portcullis_ipc::{self as ipc, MsgBuf};
use portcullis_rpc::{Deadline, Error, Interface};
use portcullis_tests::executor::{block_on, run_all};
use portcullis_tests::resources::{eventually, sleeps};
use portcullis_tests::workshop::{
    Counter, CounterAsync, Position, Switch, SwitchAsync, SwitchError, Workshop, WorkshopAsync,
};
use std::time::Duration;

pub(crate) fn fig5_c1_the_entrypoint_wakes_for_the_object_that_is_called<P: Place>() -> Outcome {
    let mut host = P::start()?;
    let mut root = host.root.client();
    let mut counters = Vec::new();
    for number in 0..20 {
        counters.push(root.counter(number)?.client());
    }
    for number in [3_usize, 19, 0, 7, 7] {
        if let Some(child) = host.child() {
            let process = child.id();
            assert!(eventually(|| sleeps(process)), "nobody calls: it sleeps");
        }
        assert_eq!(counters[number].number()?, number as u64);
    }
    Ok(())
}

pub(crate) fn fig5_c2_a_name_without_an_object_is_an_error_reply<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let (gone, stays) = (root.counter(1)?, root.counter(2)?);
    assert!(root.dissolve(gone.clone())?);
    assert_eq!(gone.client().add(1), Err(Error::InvalidCapability));
    // Its slot has another tenant by now, which is not called in its place.
    let next = root.counter(3)?;
    assert_eq!(gone.client().add(1), Err(Error::InvalidCapability));
    assert_eq!((next.client().add(1)?, stays.client().add(1)?), (1, 1));
    // As an argument it is an error of the call, which does not reach the object.
    assert_eq!(root.apply(gone.clone(), 1), Err(Error::InvalidCapability));
    assert_eq!(root.keep(gone).map(drop), Err(Error::InvalidCapability));
    assert_eq!(root.apply(stays, 1)?, 2);
    Ok(())
}

pub(crate) fn fig5_c3_the_opcode_chooses_the_method<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let counter = root.counter(77)?;
    assert_eq!(<dyn Counter>::METHODS, ["add", "number", "thread", "end"], "in the order of declaration");
    let call = |opcode: usize, arguments: &[u8]| -> Result<Vec<u8>, ipc::Error> {
        let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
        send.set_method(u32::try_from(opcode).expect("it is small"), <dyn Counter>::CHAIN[opcode]);
        send.write(arguments)?;
        counter.untyped().call(&send, &mut receive)?;
        Ok(receive.data().to_vec())
    };
    // `Ok` is a byte of zero, and so are small numbers the number in a byte.
    assert_eq!(call(1, &[])?, [0, 77]);
    assert_eq!(call(0, &[5])?, [0, 5]);
    assert_eq!(call(0, &[6])?, [0, 11]);
    assert_eq!(call(3, &[])?, [0]);
    assert_eq!(call(1, &[]), Err(ipc::Error::InvalidCapability), "the last one ended it");
    Ok(())
}

pub(crate) fn fig5_c4_it_replies_and_is_ready_for_the_next<P: Place>() -> Outcome {
    let host = P::start()?;
    let counter = host.root.client().counter(1)?;
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let mut client = counter.client();
            std::thread::spawn(move || (0..500).map(|_| client.add(1)).collect::<Result<Vec<_>, _>>())
        })
        .collect();
    // Somebody who does not wait for the answers keeps nobody from theirs.
    let soon = Deadline::After(Duration::from_nanos(1));
    let mut hasty = counter.client().with_deadline(soon);
    let hasty = (0..20).filter(|_| hasty.number().is_ok()).count();
    let mut sums = Vec::new();
    for client in clients {
        let own = client.join().expect("no client panics")?;
        assert!(own.is_sorted(), "each client's calls are answered in order");
        sums.extend(own);
    }
    sums.sort_unstable();
    assert_eq!(sums, (1..=2_000).collect::<Vec<_>>(), "each call is answered once; {hasty} hasty ones were");
    Ok(())
}

pub(crate) fn fig5_c5_the_client_resumes_with_the_results<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let mut switch = root.switch()?.client();
    assert_eq!(switch.set(Position::Right)?, Position::Left);
    let refused = switch.set(Position::Right);
    assert_eq!(refused, Err(SwitchError::Already(Position::Right)), "the object's own error is data");
    switch.lock(true)?;
    assert_eq!(switch.state()?, (Position::Right, true));
    // A capability in a result can be called at once.
    assert_eq!(root.counter(9)?.client().number()?, 9);
    Ok(())
}

pub(crate) fn a_method_answers_later_while_others_are_served<P: Place>() -> Outcome {
    let host = P::start()?;
    let wait = || {
        let mut root = host.root.client();
        std::thread::spawn(move || root.wait().get())
    };
    let mut root = host.root.client();
    let answered = [wait(), wait(), wait()];
    let mut count = 0;
    assert!(eventually(|| {
        // The three may arrive one by one.
        count += root.answer(11).unwrap_or(0);
        count == 3
    }));
    for client in answered {
        assert_eq!(client.join().expect("no client panics")?, 11);
    }
    let dropped = wait();
    assert!(eventually(|| root.abandon() == Ok(1)));
    assert_eq!(dropped.join().expect("no client panics"), Err(Error::Abandoned));
    Ok(())
}

pub(crate) fn a_task_calls_every_kind_of_method<P: Place>() -> Outcome {
    const COUNTERS: u64 = 40;
    let host = P::start()?;
    let root = host.root.client();
    let sums = run_all((0..COUNTERS).map(|number| {
        let root = &root;
        async move {
            let counter = root.counter_async(number).await?.client();
            counter.add_async(number).await?;
            // It comes home, in an argument.
            assert_eq!(root.apply_async(counter.capability().clone(), 1).await?, number + 1);
            counter.number_async().await
        }
    }));
    assert_eq!(sums, (0..COUNTERS).map(Ok).collect::<Vec<_>>());
    let switch = block_on(root.switch_async())?.client();
    assert_eq!(block_on(switch.set_async(Position::Right)), Ok(Position::Left));
    let refused = block_on(switch.set_async(Position::Right));
    assert_eq!(refused, Err(SwitchError::Already(Position::Right)), "the object's own error is data");
    // One that answers later: its future is done when the result is there.
    let waits = root.wait_async();
    let waits = std::thread::spawn(move || block_on(waits));
    assert!(eventually(|| block_on(root.answer_async(11)) == Ok(1)));
    assert_eq!(waits.join().expect("no task panics"), Ok(11));
    Ok(())
}
