//! The channel to a server of the same process.

use super::client::Client;
use super::{LONG, server};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::message::MsgBuf;
use crate::pd::peer_descriptor::PeerDescriptor;
use crate::server::{Event, Limits, SignalLevel};
use crate::sys::socket;
use crate::wait_policy::WaitPolicy;

#[test]
fn it_takes_no_clients_place_and_there_is_one_however_many_clients_there_are() {
    let mut server = server(WaitPolicy::Block, Limits { channels: 1, ..Limits::default() });
    let (signal, context) = server.mint_context(SignalLevel::Application).unwrap();
    let badge = server.badge();
    let (client, _) = Client::introduced(&mut server, badge);

    let own = server.capability();
    let caller =
        std::thread::spawn(move || own.call_with(&MsgBuf::new(), &mut MsgBuf::new(), Deadline::After(LONG)));
    let mut message = MsgBuf::new();
    let request = server.wait(&mut message, Deadline::After(LONG)).unwrap();
    server.reply(request.caller, &message).unwrap();
    assert_eq!(caller.join().unwrap(), Ok(()));
    context.submit();
    let event = server.next(&mut message, Deadline::After(LONG));
    assert!(matches!(event, Ok(Event::Signal(of)) if of == signal));

    let (_refused, theirs) = socket::pair().unwrap();
    let refused = PeerDescriptor::new(&server.pd, theirs);
    assert_eq!(server.adopt(refused, badge, None).map(drop), Err(Error::BudgetExceeded));
    drop(client);
    while server.try_next(&mut message).unwrap().is_some() {}
    // The one within the process is closed: clients are counted as before.
    let here = server.local.unwrap();
    server.close(here, &Error::Disconnected);
    Client::introduced(&mut server, badge);
}
