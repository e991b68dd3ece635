//! What other threads reach of a server.

use crate::badge::Badge;
use crate::capability::Capability;
use crate::client::callee::Callee;
use crate::client::channel::Channel;
use crate::entrypoint_id::EntrypointId;
use crate::error::Error;
use crate::pd::Pd;
use crate::pd::issued::WayHome;
use crate::pd::peer_descriptor::PeerDescriptor;
use crate::pd::watcher::HangUp;
use crate::protocol::{posts, signals, waits};
use crate::sys::memory::Words;
use crate::sys::socket::{self, Unsent};
use crate::transport::local::LocalTransport;
use crate::wire::control::{Control, Token};
use crate::wire::head::RowName;
use crate::wire::layout;
use crate::wire::slot::Group;
use crate::wire::system::ObjectName;
use crossbeam_queue::SegQueue;
use rustix::event::EventfdFlags;
use std::hash::{BuildHasher, RandomState};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, OnceLock};

/// Wakes a server from within its own process.
#[derive(Debug)]
pub(crate) struct Bell {
    /// There are posts. A plain flag in private memory, so that a busy server can look at it at every turn.
    attention: AtomicBool,
    counter: OwnedFd,
}

impl Bell {
    /// Wakes the server.
    pub(crate) fn ring(&self) {
        socket::notify(&self.counter);
    }

    pub(crate) fn counter(&self) -> &OwnedFd {
        &self.counter
    }
}

/// Something for the server's own thread to do.
#[derive(Debug)]
pub(crate) enum Post {
    /// A portal to the object that was taken up.
    Adopt(TakenUp, Badge),
    /// The channel within this process.
    Local(Words, LocalTransport),
    /// The client of that port is gone.
    Ended(RowName),
    /// Somebody wants the server to look at something that it does not know of.
    Wake,
    /// The last capability within this process to a counted object is gone.
    LetGo(Badge),
    /// There are signals, and no channel that could say so.
    Signals,
    /// There may be descriptors to spare again.
    Feed,
}

/// A portal whose holder was sent the socket of its channel. The other end of that is this process's alone: so whoever
/// made the portal, and may have kept copies of both its ends, can neither read the channel nor hide its end.
#[derive(Debug)]
pub(crate) struct TakenUp {
    pub(crate) portal: PeerDescriptor,
    pub(crate) channel: PeerDescriptor,
    pub(crate) token: Token,
    pub(crate) way_home: WayHome,
}

impl TakenUp {
    /// Makes the channel's sockets and sends one of them over the portal to that object of the domain. Never waits. If that
    /// fails, the portal is given back.
    pub(crate) fn new(
        pd: &Pd,
        portal: PeerDescriptor,
        own: Capability,
    ) -> Result<TakenUp, (Unsent, PeerDescriptor)> {
        let token = Token(crate::random::word());
        // Before it is sent: whoever reads it may be faster.
        let way_home = WayHome::new(pd, token, own);
        let sent = socket::pair().map_err(Unsent::Failed).and_then(|(channel, theirs)| {
            match socket::send(portal.as_fd(), &Control::Token(token).encode(), &[theirs.as_fd()]) {
                // Its holder is gone, but may have opened portals for others before.
                Ok(()) | Err(Unsent::Failed(Error::Disconnected)) => Ok(channel),
                Err(unsent) => Err(unsent),
            }
        });
        match sent {
            Ok(channel) => Ok(TakenUp { portal, channel: PeerDescriptor::new(pd, channel), token, way_home }),
            Err(unsent) => Err((unsent, portal)),
        }
    }
}

/// What a server shares with the capabilities to its objects and with the watcher. Outlives the server.
#[derive(Debug)]
pub(crate) struct Home {
    pd: Pd,
    id: EntrypointId,
    /// The group of the portals to its objects that are made here.
    group: Group,
    /// Names objects for those who ask whether two are the same. The badges would tell how many there are.
    names: RandomState,
    /// Says to all clients for whom the server waits; and the file that they see it through.
    page: Words<{ layout::PAGE_WORDS }>,
    page_file: OwnedFd,
    bell: Arc<Bell>,
    posts: SegQueue<Post>,
    /// Contexts that were submitted to within this process: each is there once at most for each time that its flag is
    /// taken.
    signalled: SegQueue<Badge>,
    closed: AtomicBool,
    local: OnceLock<Arc<Channel>>,
}

impl Home {
    pub(crate) fn new(pd: &Pd) -> Result<Home, Error> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        let counter = rustix::event::eventfd(0, flags).map_err(Error::system("eventfd"))?;
        let (page, page_file) = Words::published()?;
        let id = EntrypointId::draw();
        Ok(Home {
            pd: pd.clone(),
            id,
            group: Group::next().hinting(Some(id)),
            names: RandomState::new(),
            page,
            page_file,
            bell: Arc::new(Bell { attention: AtomicBool::new(false), counter }),
            posts: SegQueue::new(),
            signalled: SegQueue::new(),
            closed: AtomicBool::new(false),
            local: OnceLock::new(),
        })
    }

    pub(crate) fn pd(&self) -> &Pd {
        &self.pd
    }

    pub(crate) fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }

    /// The name of the server.
    #[inline]
    pub(crate) fn id(&self) -> EntrypointId {
        self.id
    }

    #[inline]
    pub(crate) fn group(&self) -> Group {
        self.group
    }

    /// What the object is called by whoever asks whether it is the same as another.
    pub(crate) fn name(&self, badge: Badge) -> ObjectName {
        ObjectName { entrypoint: self.id.word(), object: self.names.hash_one(badge) }
    }

    /// A word of what it says to its clients.
    pub(crate) fn word(&self, word: waits::Word) -> &AtomicU64 {
        &self.page[word as usize]
    }

    /// Greets whoever holds the other end of a socket. Never waits; who has no room for a greeting does without.
    pub(crate) fn greet(&self, socket: BorrowedFd<'_>) {
        let greeting = Control::Greeting(self.id).encode();
        let _ = socket::send(socket, &greeting, &[self.page_file.as_fd()]);
    }

    /// Leaves a post for the server. After its end the post is dropped.
    fn post(&self, post: Post) {
        self.posts.push(post);
        if posts::announce(&self.bell.attention, &self.closed) {
            self.sweep();
        } else {
            self.bell.ring();
        }
    }

    /// Server: whether there are posts.
    #[inline]
    pub(crate) fn wants_attention(&self) -> bool {
        posts::wanted(&self.bell.attention)
    }

    /// Server: the next post.
    pub(crate) fn next_post(&self) -> Option<Post> {
        posts::lower(&self.bell.attention);
        let post = self.posts.pop();
        if post.is_some() {
            posts::raise(&self.bell.attention);
        }
        post
    }

    /// Takes `portal` up as one to the object, in the server's stead: nobody need wait for it. Never waits.
    pub(crate) fn take_up(&self, portal: OwnedFd, badge: Badge, own: &Capability) -> Result<(), Error> {
        let portal = PeerDescriptor::new(&self.pd, portal);
        self.greet(portal.as_fd());
        let taken_up = TakenUp::new(&self.pd, portal, own.clone()).map_err(|(unsent, _)| unsent)?;
        self.post(Post::Adopt(taken_up, badge));
        Ok(())
    }

    /// The client of that port is gone.
    pub(crate) fn ended(&self, port: RowName) {
        self.post(Post::Ended(port));
    }

    /// Wakes the server for something that it does not know of.
    pub(crate) fn wake(&self) {
        self.post(Post::Wake);
    }

    /// It is time to look whether there are descriptors to spare.
    pub(crate) fn feed(&self) {
        self.post(Post::Feed);
    }

    /// The last capability within this process to a counted object is gone.
    pub(crate) fn let_go(&self, badge: Badge) {
        self.post(Post::LetGo(badge));
    }

    /// Submits a signal, of a context with that flag, from within this process. Never waits.
    #[inline]
    pub(crate) fn submit(&self, badge: Badge, flag: &AtomicU64) {
        if signals::submit(flag, 1) {
            self.announce_signal(badge);
        }
    }

    #[cold]
    fn announce_signal(&self, badge: Badge) {
        self.signalled.push(badge);
        match self.local_channel() {
            Ok(channel) => channel.announce_signals(1 << layout::SIGNALS_SHIFT),
            Err(_) => self.post(Post::Signals),
        }
    }

    /// Server: contexts that were submitted to within this process.
    pub(crate) fn signalled(&self) -> &SegQueue<Badge> {
        &self.signalled
    }

    /// The channel through which capabilities to this server are called from this process.
    #[inline]
    pub(crate) fn local_channel(&self) -> Result<&Arc<Channel>, Error> {
        match self.local.get() {
            Some(channel) => Ok(channel),
            None => self.make_local_channel(),
        }
    }

    #[cold]
    fn make_local_channel(&self) -> Result<&Arc<Channel>, Error> {
        let callee = Callee::here(self.id, self.page.clone());
        let (channel, words, theirs) = Channel::local(&self.pd, &self.bell, callee)?;
        // Unless another thread was first: then ours was made for nothing.
        let channel = self.local.get_or_init(|| {
            self.post(Post::Local(words, theirs));
            channel
        });
        // Either `close` finds the channel, or we find the server closed.
        if posts::closed_meanwhile(&self.closed) {
            channel.hang_up();
        }
        Ok(channel)
    }

    /// The server has ended.
    pub(crate) fn close(&self) {
        posts::close(&self.closed);
        self.sweep();
        if let Some(channel) = self.local.get() {
            channel.hang_up();
        }
    }

    fn sweep(&self) {
        while let Some(post) = self.posts.pop() {
            if let Post::Adopt(TakenUp { portal, channel, .. }, _) = post {
                // Their holders hear of it now, and not when they are closed.
                [portal, channel].iter().for_each(|socket| socket::hang_up(socket.as_fd()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Server;

    #[test]
    fn what_its_server_was_to_take_up_is_hung_up_on_when_that_ends() {
        let server = Server::new(&Pd::new().unwrap()).unwrap();
        let (portal, holder) = socket::pair().unwrap();
        let _copy = rustix::io::dup(&portal).unwrap();
        server.capability().open(portal).unwrap();
        assert!(!socket::has_ended(holder.as_fd()));
        drop(server);
        assert!(socket::has_ended(holder.as_fd()));
    }
}
