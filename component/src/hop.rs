//! The states of a session at one hop: what its parent does next. Pure: the parent carries the effects out.
//!
//! ```text
//!                 ServerReady           Created              Close                 Closed
//!   Waiting ───────────────> Creating ──────────> Open ────────────────> Closing ──────────> Gone
//!      │ Close, Refused         │ Refused        ^ │ Upgrade               │ ServerDied       ^
//!      └────────────────────────┴───────┐        │ v                       └──────────────────┤
//!                                       │   Upgrading                                        │
//!                                       └────────────────────────────────────────────────────┤
//!      Open, Upgrading ── ServerDied ──> Orphaned ── Close ───────────────────────────────────┘
//! ```
//! A `Close` while something is under way at the server (`Creating`, `Upgrading`) is remembered, and carried out when the server
//! has answered: there is never more than one thing under way, so that nothing overtakes anything. The death of a client
//! is a `Close` that nobody waits for.

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum State {
    /// Its server has not announced the service yet.
    Waiting,
    /// The server was asked.
    Creating,
    Open,
    /// The server was told of more quota.
    Upgrading,
    /// The server was told to close it.
    Closing,
    /// The server has died, the client has not closed it yet.
    Orphaned,
    Gone,
}

/// What happens to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The service is there.
    ServerReady,
    /// The server has made the session.
    Created,
    /// The server does not want what it was asked for: to make it, or to take more quota.
    Refused,
    /// The client adds to its donation.
    Upgrade,
    /// The server knows of it.
    Upgraded,
    /// The client does not want it any more, or has died.
    Close,
    /// The server has closed it.
    Closed,
    ServerDied,
}

/// What is to be done, in that order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The donation goes to the server, and the server is asked to make the session.
    Create,
    /// The addition goes to the server, which is told.
    Upgrade,
    /// The server is asked to close it.
    CloseAtServer,
    /// What the server got for the session comes back.
    TakeBack,
    /// What the server got by the upgrade that it refused comes back.
    TakeBackUpgrade,
    /// The client has its session.
    AnswerOpen,
    /// The client has none: refused by the server, or closed before it was there.
    AnswerRefused,
    AnswerClosedBefore,
    AnswerUpgraded,
    AnswerUpgradeRefused,
    /// Whoever waits for the close is told, the client has all back that it gave, and the number is free.
    Forget,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Hop {
    state: State,
    /// The client wants it closed as soon as the server has answered.
    close: bool,
}

impl Hop {
    pub(crate) fn new() -> Hop {
        Hop { state: State::Waiting, close: false }
    }

    pub(crate) fn state(self) -> State {
        self.state
    }

    /// Whether the client may add to its donation.
    pub(crate) fn may_upgrade(self) -> bool {
        self.state == State::Open
    }

    /// Goes on. What cannot be in this state (an answer that comes too late, or that a server made up) has no effect.
    pub(crate) fn on(&mut self, event: Event) -> &'static [Effect] {
        use Effect as X;
        use Event as E;
        use State as S;
        let (next, effects): (State, &[Effect]) = match (self.state, event) {
            (S::Waiting, E::ServerReady) => (S::Creating, &[X::Create]),
            (S::Waiting, E::Refused) => (S::Gone, &[X::AnswerRefused, X::Forget]),
            (S::Waiting, E::Close) => (S::Gone, &[X::AnswerClosedBefore, X::Forget]),

            (S::Creating, E::Created) if self.close => {
                (S::Closing, &[X::AnswerClosedBefore, X::CloseAtServer])
            }
            (S::Creating, E::Created) => (S::Open, &[X::AnswerOpen]),
            (S::Creating, E::Refused | E::ServerDied) => {
                (S::Gone, &[X::TakeBack, X::AnswerRefused, X::Forget])
            }

            (S::Open, E::Upgrade) => (S::Upgrading, &[X::Upgrade]),
            (S::Open, E::Close) => (S::Closing, &[X::CloseAtServer]),
            (S::Open, E::ServerDied) => (S::Orphaned, &[X::TakeBack]),

            (S::Upgrading, E::Upgraded) if self.close => (S::Closing, &[X::AnswerUpgraded, X::CloseAtServer]),
            (S::Upgrading, E::Upgraded) => (S::Open, &[X::AnswerUpgraded]),
            (S::Upgrading, E::Refused) if self.close => {
                (S::Closing, &[X::TakeBackUpgrade, X::AnswerUpgradeRefused, X::CloseAtServer])
            }
            (S::Upgrading, E::Refused) => (S::Open, &[X::TakeBackUpgrade, X::AnswerUpgradeRefused]),
            (S::Upgrading, E::ServerDied) if self.close => {
                (S::Gone, &[X::TakeBack, X::AnswerUpgradeRefused, X::Forget])
            }
            (S::Upgrading, E::ServerDied) => (S::Orphaned, &[X::TakeBack, X::AnswerUpgradeRefused]),

            (S::Closing, E::Closed | E::ServerDied) => (S::Gone, &[X::TakeBack, X::Forget]),
            (S::Orphaned, E::Close) => (S::Gone, &[X::Forget]),

            (same, _) => (same, &[]),
        };
        self.close |= event == Event::Close && self.state != State::Gone;
        self.state = next;
        effects
    }
}

#[cfg(test)]
#[path = "hop_tests.rs"]
mod tests;
