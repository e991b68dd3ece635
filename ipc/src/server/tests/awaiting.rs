//! Whether somebody still waits for an answer.

use super::client::Client;
use super::{LONG, server};
use crate::deadline::Deadline;
use crate::message::MsgBuf;
use crate::server::{Caller, Limits, Server};
use crate::wait_policy::WaitPolicy;
use crate::wire::head::State;

/// A client whose call the server has taken.
fn called(server: &mut Server) -> (Client, Caller) {
    let badge = server.badge();
    let (mut client, _) = Client::introduced(server, badge);
    client.call();
    let request = server.wait(&mut MsgBuf::new(), Deadline::After(LONG)).unwrap();
    (client, request.caller)
}

#[test]
fn nobody_waits_who_has_ended() {
    let mut server = server(WaitPolicy::Block, Limits::default());
    let (client, caller) = called(&mut server);
    assert!(server.awaits(&caller));
    drop(client);
    while server.try_next(&mut MsgBuf::new()).unwrap().is_some() {}
    assert!(!server.awaits(&caller));
}

#[test]
fn nobody_waits_who_has_given_up() {
    let mut server = server(WaitPolicy::Block, Limits::default());
    let (client, caller) = called(&mut server);
    // Said also by who only wants to know whether it was begun with.
    client.mark(State::WITHDRAW);
    assert!(server.awaits(&caller));
    client.mark(State::GIVE_UP);
    assert!(!server.awaits(&caller));
}

#[test]
fn a_server_knows_nothing_of_the_callers_of_others() {
    let [mut one, other] = [(); 2].map(|()| server(WaitPolicy::Block, Limits::default()));
    let (_client, caller) = called(&mut one);
    assert!(one.awaits(&caller) && !other.awaits(&caller));
}
