//! Quota accounts at one hop, and transactions between them. Pure: no lock, no clock, no peer.
//!
//! The sum over all accounts never changes but by [`Bank::deposit`] and [`Bank::withdraw`], whatever fails. Nobody spends what he
//! does not have. What somebody has to give back and has not is a *debt*: whatever comes in for him pays it first, so that
//! quota is never in two places at once and a thief has nothing of what he took.

use crate::quota::Quota;
use std::collections::BTreeMap;

/// Whose account it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Account {
    /// The parent's own.
    Own,
    /// What has gone back to the parent's own parent, who gave it with sessions that are over. It only grows.
    Above,
    /// A child's.
    Child(u64),
    /// What a child uses itself, and cannot donate.
    Aside(u64),
    /// What a session costs and what was donated with it, as far as no server has it.
    Session(u64),
}

#[derive(Debug, Default)]
pub(crate) struct Bank(BTreeMap<Account, Balance>);

#[derive(Debug, Default)]
struct Balance {
    has: Quota,
    owes: BTreeMap<Account, Quota>,
    /// Whose it is what comes in and is not owed, if not its own.
    heir: Option<Account>,
}

impl Bank {
    /// A bank whose own account has so much.
    pub(crate) fn new(own: Quota) -> Bank {
        Bank(BTreeMap::from([(Account::Own, Balance { has: own, ..Balance::default() })]))
    }

    /// An empty account; one that is there stays as it is.
    pub(crate) fn open(&mut self, account: Account) {
        self.0.entry(account).or_default();
    }

    /// What an account has; nothing if there is none.
    pub(crate) fn balance(&self, account: Account) -> Quota {
        self.0.get(&account).map_or(Quota::NONE, |balance| balance.has)
    }

    /// What an account owes to others.
    pub(crate) fn owed_by(&self, account: Account) -> Quota {
        let owes = self.0.get(&account).map(|balance| balance.owes.values());
        owes.into_iter().flatten().fold(Quota::NONE, |sum, debt| sum.saturating_add(*debt))
    }

    /// Moves an amount, all of it or nothing.
    ///
    /// # Errors
    /// What the giver is short of.
    pub(crate) fn transfer(&mut self, from: Account, to: Account, amount: Quota) -> Result<(), Quota> {
        self.withdraw(from, amount)?;
        self.deposit(to, amount);
        Ok(())
    }

    /// Moves an amount back to whom it belongs. What the account has not it owes.
    pub(crate) fn take_back(&mut self, from: Account, to: Account, amount: Quota) {
        let Some(balance) = self.0.get_mut(&from) else { return };
        let paid = balance.has.min(amount);
        balance.has = balance.has.saturating_sub(paid);
        let debt = amount.saturating_sub(paid);
        if !debt.is_none() {
            let owed = balance.owes.entry(to).or_default();
            *owed = owed.saturating_add(debt);
        }
        self.deposit(to, paid);
    }

    /// An amount comes in from elsewhere: pays what the account owes, and stays there as far as it is not needed for that.
    pub(crate) fn deposit(&mut self, to: Account, amount: Quota) {
        // Who is paid may owe as well. Each step settles debts that were there before, so it ends.
        let mut incoming = vec![(to, amount)];
        while let Some((to, mut amount)) = incoming.pop() {
            let balance = self.0.entry(to).or_default();
            balance.owes.retain(|creditor, debt| {
                let paid = debt.min(amount);
                if !paid.is_none() {
                    amount = amount.saturating_sub(paid);
                    *debt = debt.saturating_sub(paid);
                    incoming.push((*creditor, paid));
                }
                !debt.is_none()
            });
            match balance.heir {
                None => balance.has = balance.has.saturating_add(amount),
                // Who inherits keeps what it gets.
                Some(heir) if !amount.is_none() => incoming.push((heir, amount)),
                Some(_) => {}
            }
        }
    }

    /// An amount goes elsewhere, all of it or nothing.
    ///
    /// # Errors
    /// What the account is short of.
    pub(crate) fn withdraw(&mut self, from: Account, amount: Quota) -> Result<(), Quota> {
        let has = self.balance(from);
        let left = has.checked_sub(amount).ok_or_else(|| has.missing_for(amount))?;
        if let Some(balance) = self.0.get_mut(&from) {
            balance.has = left;
        }
        Ok(())
    }

    /// From now on an account has nothing: what it has, and what comes in for it and is not owed, is the heir's, who has none himself.
    /// What it owes stays its own affair.
    pub(crate) fn retire(&mut self, account: Account, heir: Account) {
        let Some(balance) = self.0.get_mut(&account) else { return };
        balance.heir = Some(heir);
        let has = std::mem::take(&mut balance.has);
        self.deposit(heir, has);
    }

    /// Ends an account: what it has, what it owes and what is owed to it is the heir's from now on.
    pub(crate) fn close(&mut self, account: Account, heir: Account) {
        let Some(Balance { has, owes, .. }) = self.0.remove(&account) else { return };
        for balance in self.0.values_mut() {
            if let Some(debt) = balance.owes.remove(&account) {
                let owed = balance.owes.entry(heir).or_default();
                *owed = owed.saturating_add(debt);
            }
        }
        // Nobody owes to himself.
        if let Some(balance) = self.0.get_mut(&heir) {
            balance.owes.remove(&heir);
        }
        for (creditor, debt) in owes {
            if creditor != heir {
                self.take_back(heir, creditor, debt);
            }
        }
        self.deposit(heir, has);
    }

    /// Whether there is such an account.
    #[cfg(test)]
    fn has(&self, account: Account) -> bool {
        self.0.contains_key(&account)
    }
}

#[cfg(test)]
#[path = "bank_tests.rs"]
mod tests;
