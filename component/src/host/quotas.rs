//! What children have: given, taken back, and asked for.

use super::Host;
use crate::bank::Account;
use crate::error::Error;
use crate::protocol::ComponentAsync;
use crate::quota::Quota;
use portcullis_rpc::Deadline;

impl Host {
    /// Gives a child more quota. Wishes of the child that it fulfils are answered.
    ///
    /// # Errors
    /// [`Error::OutOfRam`], [`Error::OutOfCaps`] if the own account has not as much; [`Error::UnknownSession`] if there is
    /// no child of that name.
    pub fn give(&self, name: &str, quota: Quota) -> Result<(), Error> {
        let mut state = self.0.state.borrow_mut();
        let child = state.child_named(name).ok_or(Error::UnknownSession)?;
        state.bank.transfer(Account::Own, Account::Child(child), quota).map_err(Error::out_of)?;
        let wishes = state.children.get_mut(&child).map(|record| std::mem::take(&mut record.wishes));
        // Each looks for itself whether it is enough, and asks again if not.
        wishes.into_iter().flatten().for_each(|(_, wish)| wish.answer(Ok(())));
        Ok(())
    }

    /// Takes quota back from a child. What it has spent of that it owes: whatever comes into its account from now on pays it.
    /// Answers whether there is a child of that name.
    pub fn take(&self, name: &str, quota: Quota) -> bool {
        let mut state = self.0.state.borrow_mut();
        let child = state.child_named(name);
        child.into_iter().for_each(|child| state.bank.take_back(Account::Child(child), Account::Own, quota));
        child.is_some()
    }

    /// What a child asked for last and still waits for.
    #[must_use]
    pub fn wish_of(&self, name: &str) -> Option<Quota> {
        let state = self.0.state.borrow();
        let child = state.child_named(name)?;
        state.children.get(&child)?.wishes.last().map(|(quota, _)| *quota)
    }

    /// Asks a child for quota back. What it can do without it gives back in its own time. Answers whether it can be asked.
    pub fn demand(&self, name: &str, quota: Quota) -> bool {
        self.tell(name, move |component| async move {
            let _ = component.client().with_deadline(Deadline::Never).yield_quota_async(quota).await;
        })
    }
}
