//! Ports whose sockets are left unread, since this process has no descriptors to spare.
//!
//! At its limit a process loses what comes with a message, and an innocent client would look like one that sent too
//! little. So the messages stay where they are, and with them the requests whose portals they bring. All else goes on:
//! calls without portals, and delegation by row. Nobody says when there is room again, so it is looked for now and then.

use super::Server;
use super::accounts::Opener;
use super::home::Home;
use super::port::Port;
use crate::allowance::Allowance;
use crate::badge::Badge;
use crate::capability::Capability;
use crate::error::Error;
use crate::pd::peer_descriptor::PeerDescriptor;
use crate::pd::watcher::Alarm;
use crate::sys::room::{self, BETWEEN_LOOKS};
use crate::sys::socket;
use crate::wire::head::RowName;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

/// How often while their clients call.
const BETWEEN_CALLS: Duration = Duration::from_millis(1);

/// The ports that starve, and when that is looked at again.
#[derive(Default)]
pub(super) struct Starving {
    ports: Vec<RowName>,
    portals: Vec<Untaken>,
    alarm: Option<Alarm>,
}

/// A portal for whose channel there was no room.
struct Untaken {
    portal: PeerDescriptor,
    badge: Badge,
    opener: Option<Opener>,
    /// Its holder holds the object, though there is no row of it yet.
    own: Capability,
}

impl Starving {
    /// What a port that has ended had opened stays on the account of its opener.
    pub(super) fn inherit(&mut self, ended: RowName, opener: Option<RowName>) {
        let openers = self.portals.iter_mut().filter_map(|untaken| untaken.opener.as_mut());
        openers.filter(|it| it.port == Some(ended)).for_each(|it| it.port = opener);
    }
}

impl Drop for Starving {
    fn drop(&mut self) {
        // Their holders hear of it now, whoever has copies.
        self.portals.iter().for_each(|untaken| socket::hang_up(untaken.portal.as_fd()));
    }
}

/// Leaves a post for the server.
struct LookForRoom(Arc<Home>);

impl Wake for LookForRoom {
    fn wake(self: Arc<Self>) {
        self.0.feed();
    }
}

impl Server {
    /// The port's socket was left unread.
    #[cold]
    pub(super) fn starve(&mut self, name: RowName) {
        if !self.starving.ports.contains(&name) {
            self.starving.ports.push(name);
        }
        self.look_for_room_later(BETWEEN_LOOKS);
    }

    /// There was no room for the portal's channel: too many descriptors are open, or in flight.
    #[cold]
    pub(super) fn take_up_later(&mut self, portal: PeerDescriptor, badge: Badge, opener: Option<Opener>) {
        // Counted until it is taken up. There was room just now.
        let _ = self.ledger.accounts_mut().spend(opener.and_then(|it| it.port), Allowance::CHANNEL);
        let own = self.ledger.capability(badge);
        self.starving.portals.push(Untaken { portal, badge, opener, own });
        self.look_for_room_later(BETWEEN_LOOKS);
    }

    fn look_for_room_later(&mut self, time: Duration) {
        if self.starving.alarm.is_none()
            && let Ok(watcher) = self.pd.watcher()
        {
            let waker = Waker::from(Arc::new(LookForRoom(self.home.clone())));
            self.starving.alarm = Some(watcher.alarm(Instant::now() + time, &waker));
        }
    }

    /// Looks for room, and goes on with what was left unread if there is.
    pub(super) fn feed(&mut self) {
        self.starving.alarm = None;
        if !room::is_there() {
            self.close_the_dead();
            let calls = self.hear_the_starving();
            return self.look_for_room_later(if calls { BETWEEN_CALLS } else { BETWEEN_LOOKS });
        }
        for Untaken { portal, badge, opener, own } in std::mem::take(&mut self.starving.portals) {
            self.ledger.accounts_mut().refund(opener.and_then(|it| it.port), Allowance::CHANNEL);
            self.take_up(portal, badge, opener);
            // Not before: now there is a row, or another of these.
            drop(own);
        }
        for name in std::mem::take(&mut self.starving.ports) {
            let Some(port) = self.ports.get_mut(name) else { continue };
            port.feed();
            self.heat(name);
            if !self.unread.contains(&name) {
                self.unread.push_back(name);
            }
        }
    }

    /// Doorbells behind what is left unread fill a socket in the end, and who rings then is not heard. So those ports are
    /// polled for a moment. Answers whether somebody has called.
    fn hear_the_starving(&mut self) -> bool {
        let names = self.starving.ports.clone();
        names.iter().for_each(|name| self.heat(*name));
        names.iter().any(|name| self.ports.get(*name).is_some_and(Port::has_work))
    }

    /// Ends the ports that starve and whose clients are gone, and the portals whose holders are: what these had sent last is lost,
    /// but their descriptors may be all that there is, and would never be read, nor taken up.
    fn close_the_dead(&mut self) {
        let has_ended = |untaken: &mut Untaken| socket::has_ended(untaken.portal.as_fd());
        for untaken in self.starving.portals.extract_if(.., has_ended) {
            let opener = untaken.opener.and_then(|it| it.port);
            self.ledger.accounts_mut().refund(opener, Allowance::CHANNEL);
        }
        let ports = &self.ports;
        let dead = |name: &RowName| {
            ports.get(*name).is_none_or(|port| port.socket().is_none_or(|it| socket::has_ended(it.socket())))
        };
        let (dead, alive) = self.starving.ports.drain(..).partition(dead);
        self.starving.ports = alive;
        for name in Vec::<RowName>::into_iter(dead) {
            self.close(name, &Error::Disconnected);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deadline::Deadline;
    use crate::message::MsgBuf;
    use crate::pd::Pd;
    use crate::server::Event;
    use crate::sys::slow;
    use crate::wire::control::DOORBELL;

    #[test]
    fn attack_44_what_its_server_did_not_take_up_is_hung_up_on_and_closed_elsewhere() {
        let pd = Pd::new().unwrap();
        let mut server = Server::new(&pd).unwrap();
        let badge = server.badge();
        let [copied, spoilt] = [(); 2].map(|()| socket::pair().unwrap());
        // Whoever made it may keep a copy, or send over it what blocks whoever closes it.
        let _copy = rustix::io::dup(&copied.0).unwrap();
        let (slow, other) = slow::lingering();
        socket::send(spoilt.1.as_fd(), &DOORBELL, &[slow.as_fd()]).unwrap();
        drop(slow);
        for portal in [copied.0, spoilt.0] {
            server.take_up_later(PeerDescriptor::new(&pd, portal), badge, None);
        }
        let start = Instant::now();
        drop(server);
        assert!(start.elapsed() < Duration::from_secs(60), "it was closed by whoever dropped the server");
        assert!(socket::has_ended(copied.1.as_fd()) && socket::has_ended(spoilt.1.as_fd()));
        drop(other);
    }

    #[test]
    fn a_counted_object_is_held_by_a_portal_that_waits_for_room() {
        let pd = Pd::new().unwrap();
        let mut server = Server::new(&pd).unwrap();
        let (badge, object) = server.mint_counted().unwrap();
        let (portal, holder) = socket::pair().unwrap();
        server.take_up_later(PeerDescriptor::new(&pd, portal), badge, None);
        drop(object);
        let mut message = MsgBuf::new();
        // There is room, so that it is looked for once, and the portal becomes a channel.
        let soon = Instant::now() + Duration::from_secs(30);
        while server.usage().channels == 0 && Instant::now() < soon {
            let event = server.next(&mut message, Deadline::After(BETWEEN_LOOKS));
            assert!(matches!(event, Err(Error::DeadlineExceeded)), "{event:?}");
        }
        drop(holder);
        let event = server.next(&mut message, Deadline::After(Duration::from_secs(30)));
        assert!(matches!(event, Ok(Event::Unreferenced(of)) if of == badge), "{event:?}");
    }

    #[test]
    fn attack_43_portals_that_wait_for_room_give_theirs_back_when_their_holders_have_gone() {
        let pd = Pd::new().unwrap();
        let mut server = Server::new(&pd).unwrap();
        let badge = server.badge();
        let (channel, _client) = socket::pair().unwrap();
        let port = server.adopt(PeerDescriptor::new(&pd, channel), badge, None).unwrap();
        let before = server.ledger.accounts().spent(port).unwrap();
        let opener = Opener { port: Some(port), allowance: Allowance::default() };
        let holders: Vec<_> = (0..4)
            .map(|_| {
                let (portal, holder) = socket::pair().unwrap();
                server.take_up_later(PeerDescriptor::new(&pd, portal), badge, Some(opener));
                holder
            })
            .collect();
        let mut holders = holders.into_iter();
        let lives = holders.next();
        holders.for_each(drop);
        server.close_the_dead();
        assert_eq!(server.starving.portals.len(), 1, "who lives waits on");
        assert_eq!(server.ledger.accounts().spent(port), Some(before.and(Allowance::CHANNEL)));
        drop(lives);
        server.close_the_dead();
        assert_eq!(server.starving.portals.len(), 0);
        assert_eq!(server.ledger.accounts().spent(port), Some(before));
    }
}
