//! Which objects there are, and in which rows of which channels they were granted.

use super::accounts::Accounts;
use super::contexts::{Contexts, SignalLevel};
use super::counted::Counted;
use super::home::Home;
use super::limits::Limits;
use super::rows::{Row, Rows};
use crate::allowance::Allowance;
use crate::badge::Badge;
use crate::capability::Capability;
use crate::error::Error;
use crate::table::Table;
use crate::wire::head::RowName;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The objects of a server, and what it grants of them.
#[derive(Debug)]
pub(crate) struct Ledger {
    home: Arc<Home>,
    limits: Limits,
    accounts: Accounts,
    objects: Table<Holders>,
    counted: Counted,
    contexts: Contexts,
}

/// In which rows an object was granted; at most one a channel. Nearly all objects have one client.
#[derive(Debug)]
pub(super) enum Holders {
    None,
    One { port: RowName, row: RowName },
    Many(BTreeMap<RowName, RowName>),
}

impl Holders {
    fn is_none(&self) -> bool {
        matches!(self, Holders::None)
    }

    fn row_at(&self, port: RowName) -> Option<RowName> {
        match self {
            Holders::One { port: holder, row } if *holder == port => Some(*row),
            Holders::Many(rows) => rows.get(&port).copied(),
            _ => None,
        }
    }

    fn add(&mut self, port: RowName, row: RowName) {
        *self = match std::mem::replace(self, Holders::None) {
            Holders::None => Holders::One { port, row },
            Holders::One { port: other, row: theirs } => {
                Holders::Many(BTreeMap::from([(other, theirs), (port, row)]))
            }
            Holders::Many(mut rows) => {
                rows.insert(port, row);
                Holders::Many(rows)
            }
        };
    }

    fn remove(&mut self, port: RowName) {
        match self {
            Holders::One { port: holder, .. } if *holder == port => *self = Holders::None,
            Holders::Many(rows) => {
                rows.remove(&port);
                if rows.is_empty() {
                    *self = Holders::None;
                }
            }
            _ => {}
        }
    }
}

impl Ledger {
    pub(crate) fn new(home: Arc<Home>, limits: Limits) -> Ledger {
        Ledger {
            home,
            limits,
            accounts: Accounts::default(),
            objects: Table::default(),
            counted: Counted::default(),
            contexts: Contexts::default(),
        }
    }

    /// The server's home, as the capabilities to its objects know it.
    #[inline]
    pub(crate) fn home(&self) -> &Arc<Home> {
        &self.home
    }

    /// What one client may have at most.
    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// What clients have spent.
    pub(crate) fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// What clients have spent.
    pub(crate) fn accounts_mut(&mut self) -> &mut Accounts {
        &mut self.accounts
    }

    /// How many objects there are.
    pub(crate) fn len(&self) -> u32 {
        self.objects.len()
    }

    /// A new object.
    pub(crate) fn mint(&mut self) -> Result<Badge, Error> {
        // Not so many that their names would be those of contexts.
        let room = self.objects.next_name().is_some_and(|name| !name.is_context());
        let name = if room { self.objects.insert(Holders::None) } else { None };
        name.map(Badge).ok_or(Error::BudgetExceeded)
    }

    /// A new signal context.
    pub(crate) fn mint_context(&mut self, level: SignalLevel) -> Result<Badge, Error> {
        self.contexts.mint(level).ok_or(Error::BudgetExceeded)
    }

    /// The signal contexts.
    #[inline]
    pub(crate) fn contexts(&self) -> &Contexts {
        &self.contexts
    }

    /// The signal contexts.
    #[inline]
    pub(crate) fn contexts_mut(&mut self) -> &mut Contexts {
        &mut self.contexts
    }

    /// Takes what was submitted within this process.
    pub(crate) fn take_signals_of_here(&mut self) {
        // No more than there are now, or who submits all the time would keep us here; what comes later is announced anew.
        for _ in 0..self.home.signalled().len() {
            let Some(badge) = self.home.signalled().pop() else { return };
            self.contexts.signal_by_flag(badge);
        }
    }

    /// Its server wants to be told when nobody holds the object.
    pub(crate) fn count(&mut self, badge: Badge) {
        self.counted.add(badge);
    }

    /// A capability to the object, for somebody within this process.
    pub(crate) fn capability(&mut self, badge: Badge) -> Capability {
        let home = self.home.clone();
        if badge.is_context() {
            // Of a context that was dissolved it has a flag that nobody looks at.
            return Capability::own_context(home, badge, self.contexts.flag(badge).unwrap_or_default());
        }
        Capability::own(home, badge, self.counted.hold(badge, &self.home))
    }

    /// The last capability within this process to the object is gone.
    pub(crate) fn let_go(&mut self, badge: Badge) {
        self.counted.leave(badge, has_rows(&self.objects, badge));
    }

    /// Whether there may be a counted object that nobody holds any more.
    #[inline]
    pub(crate) fn may_have_unreferenced(&self) -> bool {
        self.counted.has_left()
    }

    /// A counted object that nobody holds any more.
    pub(crate) fn unreferenced(&mut self) -> Option<Badge> {
        self.counted.next(|badge| has_rows(&self.objects, badge))
    }

    /// Whether the object lives.
    #[inline]
    pub(crate) fn contains(&self, badge: Badge) -> bool {
        if badge.is_context() { self.contexts.contains(badge) } else { self.objects.get(badge.0).is_some() }
    }

    /// Whether it is an object that lives, and can be called.
    #[inline]
    pub(crate) fn is_object(&self, badge: Badge) -> bool {
        self.objects.get(badge.0).is_some()
    }

    /// Where it was granted.
    #[inline]
    fn holders_mut(&mut self, badge: Badge) -> Option<&mut Holders> {
        if badge.is_context() { self.contexts.holders_mut(badge) } else { self.objects.get_mut(badge.0) }
    }

    /// Whether the capability is to an object of this server that was dissolved. Only known of those that were made
    /// in this process: those of clients are rows, which die with the object.
    pub(crate) fn is_dissolved(&self, capability: &Capability) -> bool {
        capability.badge_at(&self.home).is_some_and(|badge| !self.contains(badge))
    }

    /// Ends an object. Answers where it was granted, so that those rows can be killed.
    pub(crate) fn dissolve(&mut self, badge: Badge) -> Vec<(RowName, RowName)> {
        self.counted.remove(badge);
        let holders =
            if badge.is_context() { self.contexts.dissolve(badge) } else { self.objects.remove(badge.0) };
        match holders {
            None | Some(Holders::None) => Vec::new(),
            Some(Holders::One { port, row }) => vec![(port, row)],
            Some(Holders::Many(rows)) => rows.into_iter().collect(),
        }
    }

    /// Grants an object to the client of a channel: one more reference to its row, or a new row. Answers whether the
    /// client should give it back without delay, too.
    pub(crate) fn grant(
        &mut self,
        badge: Badge,
        port: RowName,
        rows: &mut Rows,
    ) -> Result<(RowName, bool), Error> {
        let name = self.grant_row(badge, port, rows)?;
        Ok((name, self.counted.grant(badge)))
    }

    #[inline]
    fn grant_row(&mut self, badge: Badge, port: RowName, rows: &mut Rows) -> Result<RowName, Error> {
        let limits = self.limits;
        let holders = self.holders_mut(badge).ok_or(Error::InvalidCapability)?;
        if let Some(name) = holders.row_at(port) {
            let row = rows.get_mut(name).ok_or(Error::InvalidCapability)?;
            row.grants = row.grants.checked_add(1).ok_or(Error::BudgetExceeded)?;
            return Ok(name);
        }
        if rows.len() >= limits.rows || badge.is_context() && rows.contexts() >= limits.contexts {
            return Err(Error::BudgetExceeded);
        }
        let cost = Allowance::row(badge.is_context());
        self.accounts.spend(Some(port), cost)?;
        let Some(name) = rows.insert(Row::new(badge)) else {
            self.accounts.refund(Some(port), cost);
            return Err(Error::BudgetExceeded);
        };
        if let Some(holders) = self.holders_mut(badge) {
            holders.add(port, name);
        }
        Ok(name)
    }

    /// Takes back references to a row; with the last one the row is free.
    pub(crate) fn release(
        &mut self,
        port: RowName,
        rows: &mut Rows,
        name: RowName,
        grants: u32,
    ) -> Result<(), Error> {
        let row = rows.get_mut(name).ok_or(Error::Violation("a release of a row that was not granted"))?;
        row.grants =
            row.grants.checked_sub(grants).ok_or(Error::Violation("a release of more than was granted"))?;
        if row.grants == 0 {
            let (badge, cost) = (row.badge(), Allowance::row(row.is_context()));
            rows.remove(name);
            self.accounts.refund(Some(port), cost);
            self.forget(port, badge);
        }
        Ok(())
    }

    /// Kills a row: its object is dissolved. Its place stays taken until the client releases it.
    pub(crate) fn kill(rows: &mut Rows, name: RowName) {
        if let Some(row) = rows.get_mut(name) {
            row.kill();
        }
    }

    /// All rows of a channel are gone, and its account. Answers whose account that hung in.
    pub(crate) fn close(&mut self, port: RowName, rows: &Rows) -> Option<RowName> {
        let mut cost = Allowance::NOTHING;
        for row in rows.iter() {
            cost = cost.and(Allowance::row(row.is_context()));
            self.forget(port, row.badge());
        }
        self.accounts.close(port, cost)
    }

    fn forget(&mut self, port: RowName, badge: Option<Badge>) {
        if let Some(badge) = badge
            && let Some(holders) = self.holders_mut(badge)
        {
            holders.remove(port);
            if holders.is_none() {
                self.counted.leave(badge, false);
            }
        }
    }
}

fn has_rows(objects: &Table<Holders>, badge: Badge) -> bool {
    objects.get(badge.0).is_some_and(|holders| !holders.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pd::Pd;

    #[test]
    fn a_row_takes_at_most_64_bytes() {
        assert!(Rows::entry_bytes() <= 64 && Table::<Holders>::entry_bytes() <= 64);
        assert!(Rows::entry_bytes() + Table::<Holders>::entry_bytes() <= 64);
        assert!(Contexts::entry_bytes() <= 64);
    }

    #[test]
    fn a_release_that_crosses_a_grant_loses_nothing() {
        let home = Arc::new(Home::new(&Pd::new().unwrap()).unwrap());
        let mut ledger = Ledger::new(home, Limits { rows: 1, ..Limits::default() });
        let (mut rows, port) = (Rows::default(), RowName::FIRST);
        let badge = ledger.mint().unwrap();
        let (row, _) = ledger.grant(badge, port, &mut rows).unwrap();
        assert_eq!(ledger.grant(badge, port, &mut rows).unwrap().0, row, "the same row again");
        ledger.release(port, &mut rows, row, 1).unwrap();
        assert_eq!(rows.get(row).unwrap().badge(), Some(badge));
        ledger.release(port, &mut rows, row, 1).unwrap();
        assert!(rows.get(row).is_none());
        assert!(matches!(ledger.release(port, &mut rows, row, 1), Err(Error::Violation(_))));
    }

    #[test]
    fn a_counted_object_is_left_when_its_last_row_is_gone() {
        let home = Arc::new(Home::new(&Pd::new().unwrap()).unwrap());
        let mut ledger = Ledger::new(home, Limits::default());
        let (mut rows, mut others) = (Rows::default(), Rows::default());
        let (port, other) = (RowName::FIRST, RowName::new(1, 1));
        let badge = ledger.mint().unwrap();
        ledger.count(badge);
        let (row, counted) = ledger.grant(badge, port, &mut rows).unwrap();
        assert!(counted);
        ledger.grant(badge, other, &mut others).unwrap();
        ledger.release(port, &mut rows, row, 1).unwrap();
        assert_eq!(ledger.unreferenced(), None, "the other has it");
        ledger.close(other, &others);
        let (row, _) = ledger.grant(badge, port, &mut rows).unwrap();
        assert_eq!(ledger.unreferenced(), None, "somebody has it again");
        ledger.release(port, &mut rows, row, 1).unwrap();
        assert_eq!(ledger.unreferenced(), Some(badge));
        assert_eq!(ledger.unreferenced(), None, "told once");
        let (row, _) = ledger.grant(badge, port, &mut rows).unwrap();
        ledger.release(port, &mut rows, row, 1).unwrap();
        assert_eq!(ledger.unreferenced(), Some(badge), "and once more for the next time");
    }
}
