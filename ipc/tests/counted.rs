//! Objects whose server is told when nobody holds them any more. Across processes: see the entrypoint's tests.

use portcullis_ipc::{Badge, Deadline, Error, Event, MsgBuf, Pd, Server};
use std::time::Duration;

/// The objects that nobody holds any more, as far as the server knows now.
fn unreferenced(server: &mut Server) -> Result<Vec<Badge>, Error> {
    let mut badges = Vec::new();
    while let Some(event) = server.try_next(&mut MsgBuf::new())? {
        match event {
            Event::Unreferenced(badge) => badges.push(badge),
            other => panic!("{other:?} instead of a notice"),
        }
    }
    Ok(badges)
}

#[test]
fn the_server_is_told_once_when_the_last_clone_is_dropped() -> Result<(), Error> {
    let mut server = Server::new(&Pd::new()?)?;
    let (counted, first) = server.mint_counted()?;
    let (_, uncounted) = server.mint()?;
    let second = first.clone();
    drop((first, uncounted));
    assert_eq!(unreferenced(&mut server)?, [], "a clone is left");
    std::thread::spawn(move || drop(second)).join().expect("it only drops");
    assert_eq!(unreferenced(&mut server)?, [counted]);
    assert_eq!(unreferenced(&mut server)?, [], "once");
    Ok(())
}

#[test]
fn a_dissolved_object_is_not_mentioned() -> Result<(), Error> {
    let mut server = Server::new(&Pd::new()?)?;
    let (badge, capability) = server.mint_counted()?;
    drop(capability);
    server.dissolve(badge);
    assert_eq!(unreferenced(&mut server)?, []);
    Ok(())
}

#[test]
fn a_drop_wakes_a_server_that_sleeps() -> Result<(), Error> {
    let mut server = Server::new(&Pd::new()?)?;
    let (badge, capability) = server.mint_counted()?;
    let (ready, is_ready) = std::sync::mpsc::channel();
    let dropper = std::thread::spawn(move || {
        is_ready.recv().expect("the server lives");
        drop(capability);
    });
    ready.send(()).expect("the dropper waits");
    match server.next(&mut MsgBuf::new(), Deadline::After(Duration::from_secs(20)))? {
        Event::Unreferenced(left) => assert_eq!(left, badge),
        other => panic!("{other:?} instead of a notice"),
    }
    dropper.join().expect("it only drops");
    Ok(())
}

#[test]
fn an_argument_on_its_way_counts() -> Result<(), Error> {
    let mut server = Server::new(&Pd::new()?)?;
    let (badge, counted) = server.mint_counted()?;
    let own = server.capability();
    let client = std::thread::spawn(move || {
        let mut send = MsgBuf::new();
        send.push(counted)?;
        own.call_with(&send, &mut MsgBuf::new(), Deadline::Never)
    });
    let mut message = MsgBuf::new();
    let Event::Call(request) = server.next(&mut message, Deadline::Never)? else { panic!("no call") };
    let came_home = message.take(0).expect("the capability came along");
    assert_eq!(server.badge_of(&came_home), Some(badge));
    server.reply(request.caller, &MsgBuf::new())?;
    client.join().expect("the client does not panic")?;
    assert_eq!(unreferenced(&mut server)?, [], "the server holds it");
    drop(came_home);
    assert_eq!(unreferenced(&mut server)?, [badge]);
    Ok(())
}
