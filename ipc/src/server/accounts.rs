//! What clients have made the server hold, each with all those whom it introduced: accounts that hang in one another.
//!
//! Whatever a client takes is taken out of its own account, and out of that of whoever opened its channel, and so on. So nobody
//! gets more by introducing himself once more, and everybody answers for those whom he introduced.

use crate::allowance::Allowance;
use crate::error::Error;
use crate::wire::head::RowName;

/// Whoever opens a portal, and what he allows its holder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opener {
    /// Nobody any more, if he and all who introduced him have ended.
    pub(crate) port: Option<RowName>,
    pub(crate) allowance: Allowance,
}

/// The accounts of all ports, by the ports' places.
#[derive(Debug, Default)]
pub(crate) struct Accounts(Vec<Option<Account>>);

#[derive(Debug)]
struct Account {
    port: RowName,
    opener: Option<RowName>,
    allowance: Allowance,
    /// By its client, and by those whom it introduced.
    spent: Allowance,
}

impl Accounts {
    /// A port has an account from now on, within that of its opener.
    pub(crate) fn open(
        &mut self,
        port: RowName,
        opener: Option<RowName>,
        allowance: Allowance,
    ) -> Result<(), Error> {
        self.spend(opener, Allowance::CHANNEL)?;
        let place = port.index() as usize;
        if self.0.len() <= place {
            self.0.resize_with(place + 1, || None);
        }
        self.0[place] = Some(Account { port, opener, allowance, spent: Allowance::NOTHING });
        Ok(())
    }

    /// Whether so much is left there.
    pub(crate) fn covers(&self, port: RowName, what: Allowance) -> bool {
        self.upwards(Some(port)).all(|account| account.allowance.covers(account.spent.and(what)))
    }

    /// Takes something out of an account, and out of those that it hangs in. What has no account is not counted.
    pub(crate) fn spend(&mut self, port: Option<RowName>, what: Allowance) -> Result<(), Error> {
        if !port.is_none_or(|port| self.covers(port, what)) {
            return Err(Error::BudgetExceeded);
        }
        self.change(port, |spent| spent.and(what));
        Ok(())
    }

    /// Gives something back.
    pub(crate) fn refund(&mut self, port: Option<RowName>, what: Allowance) {
        self.change(port, |spent| spent.without(what));
    }

    /// A port is closed, and gives back what is its own. What its client had opened for others stays with whoever had opened
    /// that one, or a client that opens and dies, over and over, would fill the server: nobody's death ends a pair whose two
    /// ends both came here. Answers who that is.
    pub(crate) fn close(&mut self, port: RowName, own: Allowance) -> Option<RowName> {
        self.refund(Some(port), own);
        let opener = self.0.get_mut(port.index() as usize)?.take_if(|it| it.port == port)?.opener;
        self.refund(opener, Allowance::CHANNEL);
        for account in self.0.iter_mut().flatten().filter(|it| it.opener == Some(port)) {
            account.opener = opener;
        }
        opener
    }

    fn change(&mut self, port: Option<RowName>, change: impl Fn(Allowance) -> Allowance) {
        let mut next = port;
        while let Some(account) = next.and_then(|port| self.get_mut(port)) {
            account.spent = change(account.spent);
            next = account.opener;
        }
    }

    /// That account, that which it hangs in, and so on.
    fn upwards(&self, port: Option<RowName>) -> impl Iterator<Item = &Account> {
        let account =
            |port: RowName| self.0.get(port.index() as usize)?.as_ref().filter(|it| it.port == port);
        std::iter::successors(port.and_then(account), move |below| below.opener.and_then(account))
    }

    fn get_mut(&mut self, port: RowName) -> Option<&mut Account> {
        self.0.get_mut(port.index() as usize)?.as_mut().filter(|it| it.port == port)
    }

    /// What an account has spent.
    #[cfg(test)]
    pub(crate) fn spent(&self, port: RowName) -> Option<Allowance> {
        self.upwards(Some(port)).next().map(|account| account.spent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: Allowance = Allowance { rows: 1, ..Allowance::NOTHING };

    fn port(index: u32) -> RowName {
        RowName::new(index, 1)
    }

    fn allowance(rows: u32, channels: u32) -> Allowance {
        Allowance { rows, contexts: 0, channels }
    }

    #[test]
    fn what_is_spent_is_spent_by_all_who_introduced_one() {
        let mut accounts = Accounts::default();
        accounts.open(port(0), None, allowance(10, 3)).unwrap();
        accounts.open(port(1), Some(port(0)), allowance(100, 100)).unwrap();
        accounts.open(port(2), Some(port(1)), allowance(2, 0)).unwrap();
        let mut spend = |of| (0..).take_while(|_| accounts.spend(Some(port(of)), ROW).is_ok()).count();
        assert_eq!(spend(2), 2, "its own");
        assert_eq!(spend(1), 8, "no more than whoever introduced it");
        assert_eq!(accounts.spent(port(0)), Some(allowance(10, 2)));
        assert_eq!(accounts.open(port(3), Some(port(2)), allowance(1, 0)), Err(Error::BudgetExceeded));
        accounts.open(port(3), Some(port(1)), allowance(1, 0)).unwrap();
        assert!(!accounts.covers(port(1), Allowance::CHANNEL), "all three are taken");
    }

    #[test]
    fn what_an_ended_port_had_opened_stays_on_its_openers_account() {
        let mut accounts = Accounts::default();
        accounts.open(port(0), None, allowance(10, 10)).unwrap();
        accounts.open(port(1), Some(port(0)), allowance(10, 10)).unwrap();
        for child in [2, 3] {
            accounts.open(port(child), Some(port(1)), allowance(10, 10)).unwrap();
            accounts.spend(Some(port(child)), ROW).unwrap();
        }
        accounts.spend(Some(port(1)), ROW).unwrap();
        assert_eq!(accounts.spent(port(0)), Some(allowance(3, 3)));
        assert_eq!(accounts.close(port(1), ROW), Some(port(0)));
        assert_eq!(accounts.spent(port(0)), Some(allowance(2, 2)), "the two, which nobody's death ends");
        assert_eq!(accounts.close(port(2), ROW), Some(port(0)));
        assert_eq!(accounts.close(port(3), ROW), Some(port(0)));
        assert_eq!(accounts.spent(port(0)), Some(Allowance::NOTHING));
        assert_eq!(accounts.close(port(3), ROW), None, "there is none any more");
    }
}
