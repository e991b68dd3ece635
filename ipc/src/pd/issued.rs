//! Which tokens the entrypoints of this domain have issued, and for what: so a capability that comes home is known there,
//! whoever brings it.
//!
//! A portal folds only among those of its introducer, since another might sit in the middle. Here nobody is believed: the
//! token was drawn in this very domain, and says for which of its objects. Who read it on the way, and brings it here
//! himself, has handed us what he could call.

use crate::capability::Capability;
use crate::pd::Pd;
use crate::wire::control::Token;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The tokens of portals whose holders have not come over.
#[derive(Default)]
pub(crate) struct Issued(Mutex<HashMap<Token, Capability>>);

/// A token by which a portal to an object of this domain comes home, until this is dropped.
pub(crate) struct WayHome {
    pd: Pd,
    token: Token,
}

impl Issued {
    fn map(&self) -> MutexGuard<'_, HashMap<Token, Capability>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the token was issued for, if it was issued here. Once.
    pub(crate) fn redeem(&self, token: Token) -> Option<Capability> {
        self.map().remove(&token)
    }
}

impl WayHome {
    /// Whoever of the domain reads that token from now on has that object.
    pub(crate) fn new(pd: &Pd, token: Token, own: Capability) -> WayHome {
        pd.issued().map().insert(token, own);
        WayHome { pd: pd.clone(), token }
    }
}

impl Drop for WayHome {
    fn drop(&mut self) {
        // Dropped without the lock: it may be the last of its object.
        drop(self.pd.issued().redeem(self.token));
    }
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued").field("tokens", &self.map().len()).finish()
    }
}

impl std::fmt::Debug for WayHome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WayHome")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Server;

    #[test]
    fn a_token_is_known_in_its_domain_once_and_while_its_portal_lives() {
        let (pd, other) = (Pd::new().unwrap(), Pd::new().unwrap());
        let server = Server::new(&pd).unwrap();
        let tokens = [Token(1), Token(2)];
        let ways = tokens.map(|token| WayHome::new(&pd, token, server.capability()));
        assert!(other.issued().redeem(tokens[0]).is_none(), "another domain is a stranger");
        assert!(pd.issued().redeem(tokens[0]).is_some_and(|own| server.hosts(&own)));
        assert!(pd.issued().redeem(tokens[0]).is_none());
        drop(ways);
        assert!(pd.issued().redeem(tokens[1]).is_none());
        assert!(pd.issued().map().is_empty());
    }
}
