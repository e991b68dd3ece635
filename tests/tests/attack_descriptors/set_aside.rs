//! Attack 43: a server answers every lane with portals, for which its client has no descriptors to spare. The answers stay in
//! their lanes, and who waits for a lane waits for room.

use crate::at_the_limit::{Full, assert_patient};
use crate::{alone, peer};
use portcullis_ipc::Error;
use portcullis_tests::host::Host;
use portcullis_tests::remote::Remote;
use portcullis_tests::resources::eventually;
use portcullis_tests::service::Op;
use portcullis_tests::villain::client::PATIENCE;

/// As many calls as can be under way over a channel.
const LANES: usize = 16;

/// Makes the client have a call in each lane, which the server holds.
fn occupy(client: &Host, server: &Host, number: u64) -> Result<(), Error> {
    for _ in 0..LANES {
        client.root.call_in_background(number, Op::Hold, PATIENCE)?;
    }
    assert!(eventually(|| server.root.report().is_ok_and(|report| report.held == LANES as u64)));
    Ok(())
}

/// Has the server answer all of them with a portal. There is no room for one.
fn answer(client: &Host, server: &Host, portal: &Remote) -> Result<(), Error> {
    for _ in 0..LANES {
        assert_eq!(server.root.numbers(Op::AnswerHeld, &[0], &[portal])?, [1]);
    }
    for _ in 0..LANES {
        let error = client.root.join()?.result.expect_err("there is no room for it");
        assert!(error.contains("recvmsg"), "{error}");
    }
    Ok(())
}

#[test]
fn attack_43_who_waits_for_a_lane_that_waits_for_room_looks_now_and_then() -> Result<(), Error> {
    let _alone = alone();
    let (server, third, mut client) = (peer()?, peer()?, peer()?);
    let number = client.root.keep(&server.root)?;
    client.root.call_kept_as_task(number, Op::Name, PATIENCE)?.words();
    occupy(&client, &server, number)?;
    for _ in 0..2 {
        client.root.call_in_background(number, Op::Name, PATIENCE)?;
        client.root.call_in_background_as_task(number, Op::Name, PATIENCE)?;
    }
    let full = Full::process(&mut client);
    answer(&client, &server, &third.root)?;
    assert_patient(full.0);
    drop(full);
    for _ in 0..4 {
        assert_eq!(client.root.join()?.words()[0], server.root.name()?);
    }
    // Ours: what came too late was given back.
    let settled = || third.root.report().is_ok_and(|report| report.channels == 1);
    assert!(eventually(settled), "{:?}", third.root.report());
    Ok(())
}
