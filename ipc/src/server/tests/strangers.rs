//! Clients of whom little is known yet.

use super::client::Client;
use super::{LONG, server};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::message::MsgBuf;
use crate::server::Limits;
use crate::wait_policy::WaitPolicy;
use std::time::Duration;

#[test]
fn who_rings_before_it_is_introduced_is_heard_when_it_introduces_itself() {
    for wait in [WaitPolicy::Spin, WaitPolicy::Adaptive, WaitPolicy::Block] {
        let mut server = server(wait, Limits::default());
        let badge = server.badge();
        let (mut client, _) = Client::unknown(&mut server, badge);
        client.ring();
        let soon = Deadline::After(Duration::from_millis(1));
        assert_eq!(server.wait(&mut MsgBuf::new(), soon).map(drop), Err(Error::DeadlineExceeded));
        client.introduce();
        client.call();
        assert!(server.wait(&mut MsgBuf::new(), Deadline::After(LONG)).is_ok(), "{wait:?}");
    }
}
