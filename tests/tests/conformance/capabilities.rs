//! What capabilities are: G3, G4, G9, and their end.

use crate::{Place, Processes};
use portcullis_ipc::{Child, Error};
use portcullis_tests::remote::{Remote, objects};
use portcullis_tests::resources::eventually;
use portcullis_tests::service::Op;
use portcullis_tests::stopped::Stopped;
use std::collections::HashSet;
use std::time::Duration;

const NEVER: Duration = Duration::ZERO;

pub(crate) fn g3_delegation_gives_authority_and_nothing_else_does<P: Place>() -> Result<(), Error> {
    let (host, third) = (P::start()?, P::start()?);
    let object = host.root.new_object()?;
    let before = host.root.report()?.requests;
    // Every number that the third party could make up names nothing.
    for number in 0..100 {
        assert!(third.root.call_kept(number, Op::Name, NEVER, &[])?.result.is_err());
    }
    assert_eq!(host.root.report()?.requests, before + 1, "without delegation nothing reaches the object");
    let number = third.root.keep(&object)?;
    let (theirs, ours) = (third.root.call_kept(number, Op::Name, NEVER, &[])?.words(), object.name()?);
    assert_eq!(theirs[0], ours, "by delegation, and the same object");
    assert_eq!(host.root.report()?.requests, before + 4);
    // What was delegated is that object, and it is the third party's own: it outlives ours.
    drop(object);
    assert_eq!(third.root.call_kept(number, Op::Name, NEVER, &[])?.words()[0], ours);
    third.root.ask(Op::Drop, &[number], &[])?;
    assert!(third.root.call_kept(number, Op::Name, NEVER, &[])?.result.is_err());
    Ok(())
}

pub(crate) fn g3_a_capability_means_nothing_to_another_server<P: Place>() -> Result<(), Error> {
    let (host, other) = (P::start()?, P::start()?);
    // Both servers have objects with the same slots, and clients with the same rows.
    let (ours, theirs) = (host.root.new_objects(4)?, other.root.new_objects(4)?);
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours.name()?, theirs.name()?, "the slots are the same");
        assert_eq!(host.root.numbers(Op::IsMine, &[], &[ours])?, [1, ours.name()?]);
        assert_eq!(other.root.numbers(Op::IsMine, &[], &[ours])?, [0]);
        assert_eq!(other.root.numbers(Op::Dissolve, &[], &[ours])?, [0], "so it can do nothing to it");
        theirs.name()?;
    }
    ours.iter().try_for_each(|ours| ours.name().map(drop))
}

pub(crate) fn g3_every_object_has_a_distinct_identity<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let first: Vec<_> = (0..8).map(|_| host.root.new_objects(4)).collect::<Result<Vec<_>, _>>()?.concat();
    let names = first.iter().map(Remote::name).collect::<Result<HashSet<_>, _>>()?;
    assert_eq!(names.len(), first.len());
    // A slot that is used again is another identity: the old capability stays dead.
    assert_eq!(host.root.numbers(Op::Dissolve, &[], &[&first[5]])?, [1]);
    let again = host.root.new_object()?;
    assert!(names.contains(&again.name()?), "the slot is used again");
    assert_eq!(first[5].name(), Err(Error::InvalidCapability));
    assert_eq!(host.root.numbers(Op::Dissolve, &[], &[&first[5]]), Err(Error::InvalidCapability));
    again.name().map(drop)
}

pub(crate) fn g4_the_last_drop_frees_the_row<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let rows = || host.root.report().map(|report| report.rows);
    let before = rows()?;
    let held: Vec<_> = (0..25).map(|_| host.root.new_objects(4)).collect::<Result<Vec<_>, _>>()?.concat();
    let taken = if P::ROWS { 100 } else { 0 };
    assert_eq!(rows()?, before + taken);
    // Clones share the reference: no rows for them, and none back before the last is gone.
    let clones = held.clone();
    drop(held);
    clones.iter().try_for_each(|clone| clone.name().map(drop))?;
    assert_eq!(rows()?, before + taken);
    drop(clones);
    assert!(eventually(|| rows() == Ok(before)), "{:?} rows of {before}", rows());
    Ok(())
}

pub(crate) fn g4_more_drops_than_the_release_ring_holds_free_all_their_rows<P: Place>() -> Result<(), Error> {
    let mut host = P::start()?;
    let before = host.root.report()?.rows;
    let held: Vec<_> = (0..250).map(|_| host.root.new_objects(4)).collect::<Result<_, _>>()?;
    // A stopped server takes nothing out of the ring meanwhile.
    let stopped = host.child().map(|child| Stopped::stop(child.id())).transpose()?;
    drop(held);
    drop(stopped);
    let rows = || host.root.report().map(|report| report.rows);
    assert!(eventually(|| rows() == Ok(before)), "{:?} rows of {before}", rows());
    Ok(())
}

pub(crate) fn g4_two_grants_of_one_object_share_a_row<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let rows = || host.root.report().map(|report| report.rows);
    let first = host.root.new_object()?;
    let before = rows()?;
    let again = objects(&mut host.root.ask(Op::Echo, &[], &[&first, &first])?);
    assert_eq!((again.len(), rows()?), (2, before), "granted three times, and one row");
    drop(first);
    again[0].name()?;
    // The others still hold it, however often the server looks.
    assert!((0..50).all(|_| rows() == Ok(before)));
    drop(again);
    let expected = before - u64::from(P::ROWS);
    assert!(eventually(|| rows() == Ok(expected)));
    Ok(())
}

pub(crate) fn g4_a_reference_held_by_a_third_party_counts<P: Place>() -> Result<(), Error> {
    // The object's server is a process in any case, since only there rows are counted.
    let (origin, holder) = (Processes::start()?, P::start()?);
    let held = || origin.root.report().map(|report| (report.channels, report.rows));
    let before = held()?;
    let object = origin.root.new_object()?;
    let number = holder.root.keep(&object)?;
    holder.root.call_kept(number, Op::Name, NEVER, &[])?.words();
    drop(object);
    // The holder's reference keeps it alive after ours is gone.
    holder.root.call_kept(number, Op::Name, NEVER, &[])?.words();
    assert!(held()? > before);
    holder.root.ask(Op::Drop, &[number], &[])?;
    assert!(eventually(|| held() == Ok(before)), "{:?} of {before:?}", held());
    Ok(())
}

pub(crate) fn g9_creating_a_server_creates_its_own_callable_capability<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let own = objects(&mut host.root.ask(Op::Own, &[], &[])?).remove(0);
    assert_eq!(own.numbers(Op::Name, &[], &[])?[1], 1, "calls to it arrive under the server's own badge");
    assert_eq!(host.root.numbers(Op::Name, &[], &[])?[1], 0, "which is not that of its first object");
    assert_ne!(own.name()?, host.root.name()?);
    assert_eq!(host.root.numbers(Op::IsMine, &[], &[&own])?, [1, own.name()?]);
    // It can be delegated like any other.
    let third = P::start()?;
    let number = third.root.keep(&own)?;
    assert_eq!(third.root.call_kept(number, Op::Name, NEVER, &[])?.words(), [own.name()?, 1]);
    Ok(())
}

pub(crate) fn a_capability_that_comes_home_is_recognised<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let objects = host.root.new_objects(4)?;
    for object in &objects {
        assert_eq!(host.root.numbers(Op::IsMine, &[], &[object])?, [1, object.name()?]);
    }
    // The first object, which came with the portal, comes home like any other.
    assert_eq!(host.root.numbers(Op::IsMine, &[], &[&host.root])?, [1, host.root.name()?]);
    // Kept by its own server, it is called through the server's own way to itself, or recognised; it needs no row.
    let before = host.root.report()?.rows;
    host.root.keep(&objects[0])?;
    assert_eq!(host.root.report()?.rows, before);
    Ok(())
}

pub(crate) fn dissolving_invalidates_everywhere_at_once<P: Place>() -> Result<(), Error> {
    let (host, third) = (P::start()?, P::start()?);
    let (object, bystander) = (host.root.new_object()?, host.root.new_object()?);
    let copies = objects(&mut host.root.ask(Op::Echo, &[], &[&object, &object])?);
    let number = third.root.keep(&object)?;
    third.root.call_kept(number, Op::Name, NEVER, &[])?.words();
    assert_eq!(host.root.numbers(Op::Dissolve, &[], &[&object])?, [1]);
    assert_eq!(object.name(), Err(Error::InvalidCapability));
    assert!(copies.iter().all(|copy| copy.name() == Err(Error::InvalidCapability)));
    let theirs = third.root.call_kept(number, Op::Name, NEVER, &[])?;
    assert_eq!(theirs.result, Err("InvalidCapability".into()));
    // As an argument it is as dead as in a call, and the call has no effect.
    assert_eq!(host.root.numbers(Op::Dissolve, &[], &[&object]), Err(Error::InvalidCapability));
    bystander.name()?;
    // Dissolved twice, or released after: no harm.
    drop((object, copies));
    host.root.name().map(drop)
}

pub(crate) fn a_reply_with_a_dissolved_object_grants_nothing<P: Place>() -> Result<(), Error> {
    let host = P::start()?;
    let before = host.root.report()?.rows;
    assert_eq!(host.root.ask(Op::GrantDissolved, &[], &[]).map(drop), Err(Error::InvalidCapability));
    assert_eq!(host.root.report()?.rows, before, "the object that was in order was not granted either");
    Ok(())
}

pub(crate) fn a_dead_capability_is_passed_on_like_any_other<P: Place>() -> Result<(), Error> {
    let (mut origin, host) = (Processes::start()?, P::start()?);
    // One that was called while its server lived, and one that never was.
    let copies = objects(&mut host.root.ask(Op::Echo, &[], &[&origin.root])?);
    origin.root.name()?;
    origin.child().map(Child::kill).transpose()?;
    assert_eq!(origin.root.name(), Err(Error::Disconnected));
    for dead in [&origin.root, &copies[0]] {
        // Whether it is dead is found out by who calls it, not by who passes it on.
        let number = host.root.keep(dead)?;
        let found = host.root.call_kept(number, Op::Name, NEVER, &[])?;
        assert_eq!(found.result, Err("Disconnected".into()));
        let mut back = host.root.ask(Op::Give, &[number], &[])?;
        assert_eq!(objects(&mut back)[0].name(), Err(Error::Disconnected));
    }
    Ok(())
}

pub(crate) fn a_server_that_does_not_read_costs_no_third_party_its_channel<P: Place>() -> Result<(), Error> {
    let (mut stopped, host) = (Processes::start()?, P::start()?);
    let number = host.root.keep(&stopped.root.new_object()?)?;
    let third = Processes::start()?;
    let way = third.root.keep(&host.root)?;
    let child = stopped.child().expect("it runs in a process");
    let _stopped = Stopped::stop(child.id())?;
    // Each answer opens one more portal at the stopped server, until its socket is full.
    let results = (0..600)
        .map(|_| match third.root.call_kept(way, Op::Give, NEVER, &[number])?.result {
            Ok(_) => Ok(true),
            Err(error) if error == "Busy" => Ok(false),
            Err(error) => panic!("{error}"),
        })
        .collect::<Result<Vec<_>, Error>>()?;
    assert!(results.contains(&true) && results.contains(&false), "some fitted, some did not");
    assert!(third.root.call_kept(way, Op::Name, NEVER, &[])?.result.is_ok());
    host.root.name().map(drop)
}
