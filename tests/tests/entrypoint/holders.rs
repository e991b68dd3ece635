//! Who holds an object: told when nobody does, and taken back from whoever does.

use crate::{Outcome, Place, Processes};
use portcullis_rpc::Error;
use portcullis_tests::resources::{eventually, sleeps};
use portcullis_tests::workshop::{Counter, Workshop};

pub(crate) fn an_object_learns_that_nobody_holds_it_any_more<P: Place>() -> Outcome {
    let mut host = P::start()?;
    let mut root = host.root.client();
    let (counted, uncounted) = (root.counted(1)?, root.counter(2)?);
    let (clone, mut client) = (counted.clone(), counted.client());
    assert_eq!(client.add(1)?, 1);
    drop((counted, clone, uncounted));
    assert_eq!(root.holdings()?.unreferenced, 0, "the client still holds it");
    let waiting = {
        let mut root = host.root.client();
        std::thread::spawn(move || root.wait().get())
    };
    assert!(eventually(|| root.holdings().is_ok_and(|holdings| holdings.waiting == 1)));
    if let Some(child) = host.child() {
        let process = child.id();
        assert!(eventually(|| sleeps(process)), "nobody calls: it sleeps");
    }
    // Nothing but the drop wakes it: it answers whoever waits.
    drop(client);
    assert_eq!(waiting.join().expect("nobody panics")?, 1);
    let holdings = root.holdings()?;
    assert_eq!((holdings.unreferenced, holdings.drops), (1, 1), "the other was not asked to end");
    Ok(())
}

pub(crate) fn every_holder_counts<P: Place>() -> Outcome {
    let host = P::start()?;
    let mut root = host.root.client();
    let told = |times| {
        let mut root = host.root.client();
        eventually(|| root.holdings().is_ok_and(|holdings| holdings.unreferenced == times))
    };
    // Another process, which gets it from us: by a portal, and not from its server.
    let mut other = Processes::start()?;
    let mut stranger = other.root.client();
    stranger.keep(root.counted(1)?)?;
    for round in 1..=5 {
        assert_eq!(stranger.add_to_kept(1)?, Some(round));
        assert_eq!(root.holdings()?.unreferenced, 0, "the stranger holds it");
    }
    drop(stranger.give()?);
    assert!(told(1), "the stranger gave it back");

    stranger.keep(root.counted(2)?)?;
    assert_eq!(stranger.add_to_kept(1)?, Some(1));
    // One that never called: its portal was not opened yet.
    let silent = Processes::start()?;
    silent.root.client().keep(root.counted(3)?)?;
    assert_eq!(root.holdings()?.unreferenced, 1);
    other.child().expect("it is a process").kill()?;
    assert!(told(2), "the death of a holder gives back all that it held");
    drop(silent);
    assert!(told(3));

    // The server itself.
    let counted = root.counted(4)?;
    root.keep(counted.clone())?;
    drop(counted);
    assert_eq!(root.holdings()?.unreferenced, 3, "the workshop keeps it");
    drop(root.give()?);
    assert!(told(4));
    Ok(())
}

pub(crate) fn what_was_lent_is_taken_back_from_everybody<P: Place>() -> Outcome {
    let (lender, other) = (P::start()?, P::start()?);
    let mut root = lender.root.client();
    let (near, far) = (root.counter(1)?, other.root.client().counter(2)?);
    let lent = [root.lend(near.clone())?, root.lend(far.clone())?];
    // Delegated further, to a stranger.
    let mut stranger = other.root.client();
    for (capability, number) in lent.iter().zip([1, 2]) {
        assert_eq!((capability.client().number()?, capability.client().add(10)?), (number, 10));
    }
    stranger.keep(lent[0].clone())?;
    assert_eq!(stranger.add_to_kept(1)?, Some(11));
    root.take_back()?;
    for capability in &lent {
        assert_eq!(capability.client().add(1), Err(Error::InvalidCapability));
    }
    assert_eq!(stranger.add_to_kept(1), Err(Error::Relayed(Error::InvalidCapability.to_string())));
    assert_eq!((near.client().add(0)?, far.client().add(0)?), (11, 10), "the counters themselves live");
    Ok(())
}
