use super::*;
use proptest::prelude::*;

const ACCOUNTS: usize = 5;

#[derive(Clone, Copy, Debug)]
enum Step {
    Transfer(usize, usize, Quota),
    TakeBack(usize, usize, Quota),
    Deposit(usize, Quota),
    Withdraw(usize, Quota),
}

fn step() -> impl Strategy<Value = Step> {
    let (who, amount) = (0..ACCOUNTS, (0..100_u64, 0..5_u64).prop_map(|(ram, caps)| Quota::new(ram, caps)));
    prop_oneof![
        3 => (who.clone(), who.clone(), amount.clone()).prop_map(|(a, b, q)| Step::Transfer(a, b, q)),
        3 => (who.clone(), who.clone(), amount.clone()).prop_map(|(a, b, q)| Step::TakeBack(a, b, q)),
        1 => (who.clone(), amount.clone()).prop_map(|(a, q)| Step::Deposit(a, q)),
        1 => (who, amount).prop_map(|(a, q)| Step::Withdraw(a, q)),
    ]
}

/// A ledger that knows nothing of the bank's ways: one unit, one list of who owes whom, settled by going round until nothing moves.
#[derive(Default)]
struct Oracle {
    has: [u64; ACCOUNTS],
    owes: Vec<(usize, usize, u64)>,
}

impl Oracle {
    fn settle(&mut self) {
        while let Some(place) =
            self.owes.iter().position(|&(debtor, _, debt)| debt > 0 && self.has[debtor] > 0)
        {
            let (debtor, creditor, debt) = self.owes[place];
            let paid = debt.min(self.has[debtor]);
            self.has[debtor] -= paid;
            self.has[creditor] += paid;
            self.owes[place].2 -= paid;
        }
    }

    fn owed_by(&self, who: usize) -> u64 {
        self.owes.iter().filter(|(debtor, ..)| *debtor == who).map(|(.., debt)| debt).sum()
    }

    fn pay(&mut self, from: usize, to: usize, amount: u64) {
        self.has[from] -= amount;
        self.has[to] += amount;
        self.settle();
    }
}

fn account(number: usize) -> Account {
    Account::Child(number as u64)
}

/// The amounts of one unit, by bank and by oracle; debts among several creditors may be settled in another order there, so the sums
/// over an account's debts count, and what it is worth in all.
fn sums(bank: &Bank, unit: fn(Quota) -> u64) -> (u64, u64) {
    let all = (0..ACCOUNTS).map(account);
    all.fold((0, 0), |(has, owed), who| (has + unit(bank.balance(who)), owed + unit(bank.owed_by(who))))
}

proptest! {
    #[test]
    fn nothing_is_made_or_lost_and_nobody_has_what_he_owes(steps in prop::collection::vec(step(), 1..200)) {
        let mut bank = Bank::new(Quota::NONE);
        (0..ACCOUNTS).for_each(|number| bank.open(account(number)));
        let (mut total_ram, mut total_caps) = (0, 0);
        for step in steps {
            let before = sums(&bank, |quota| quota.ram.in_bytes());
            match step {
                Step::Transfer(from, to, amount) => {
                    let has = bank.balance(account(from));
                    let result = bank.transfer(account(from), account(to), amount);
                    // All of it or nothing, and an error says exactly what is missing.
                    prop_assert_eq!(result.is_ok(), has.checked_sub(amount).is_some());
                    if let Err(missing) = result {
                        prop_assert_eq!(bank.balance(account(from)), has);
                        prop_assert!(has.checked_add(missing).unwrap().checked_sub(amount).is_some());
                        prop_assert_eq!(sums(&bank, |quota| quota.ram.in_bytes()), before);
                    }
                }
                Step::TakeBack(from, to, amount) => {
                    if from != to {
                        bank.take_back(account(from), account(to), amount);
                    }
                }
                Step::Deposit(to, amount) => {
                    bank.deposit(account(to), amount);
                    total_ram += amount.ram.in_bytes();
                    total_caps += amount.caps.count();
                }
                Step::Withdraw(from, amount) => {
                    if bank.withdraw(account(from), amount).is_ok() {
                        total_ram -= amount.ram.in_bytes();
                        total_caps -= amount.caps.count();
                    }
                }
            }
            prop_assert_eq!(sums(&bank, |quota| quota.ram.in_bytes()).0, total_ram);
            prop_assert_eq!(sums(&bank, |quota| quota.caps.count()).0, total_caps);
            for who in (0..ACCOUNTS).map(account) {
                let (has, owes) = (bank.balance(who), bank.owed_by(who));
                prop_assert!(has.ram.in_bytes() == 0 || owes.ram.in_bytes() == 0);
                prop_assert!(has.caps.count() == 0 || owes.caps.count() == 0);
            }
        }
    }

    /// As long as nobody owes to two at once, the two agree on every account; then only on the sums.
    #[test]
    fn the_bank_agrees_with_a_naive_ledger(steps in prop::collection::vec(step(), 1..60)) {
        let (mut bank, mut oracle) = (Bank::new(Quota::NONE), Oracle::default());
        (0..ACCOUNTS).for_each(|number| bank.open(account(number)));
        for step in steps {
            match step {
                Step::Transfer(from, to, amount) => {
                    let caps_there = bank.balance(account(from)).caps >= amount.caps;
                    let enough = caps_there && oracle.has[from] >= amount.ram.in_bytes();
                    prop_assert_eq!(bank.transfer(account(from), account(to), amount).is_ok(), enough);
                    if enough {
                        oracle.pay(from, to, amount.ram.in_bytes());
                    }
                }
                Step::TakeBack(from, to, amount) if from != to => {
                    bank.take_back(account(from), account(to), amount);
                    oracle.owes.push((from, to, amount.ram.in_bytes()));
                    oracle.settle();
                }
                Step::TakeBack(..) => {}
                Step::Deposit(to, amount) => {
                    bank.deposit(account(to), amount);
                    oracle.has[to] += amount.ram.in_bytes();
                    oracle.settle();
                }
                Step::Withdraw(from, amount) => {
                    if bank.withdraw(account(from), amount).is_ok() {
                        oracle.has[from] -= amount.ram.in_bytes();
                    }
                }
            }
            let several = (0..ACCOUNTS).any(|who| {
                let mut creditors = oracle.owes.iter().filter(|(debtor, _, debt)| *debtor == who && *debt > 0);
                creditors.next().is_some_and(|(_, first, _)| creditors.any(|(_, next, _)| next != first))
            });
            if several {
                break;
            }
            for number in 0..ACCOUNTS {
                prop_assert_eq!(bank.balance(account(number)).ram.in_bytes(), oracle.has[number]);
                prop_assert_eq!(bank.owed_by(account(number)).ram.in_bytes(), oracle.owed_by(number));
            }
        }
    }
}

#[test]
fn what_is_owed_to_a_closed_account_is_paid_to_its_heir() {
    let (session, client, thief) = (Account::Session(1), Account::Child(1), Account::Child(2));
    let mut bank = Bank::new(Quota::new(100, 10));
    for account in [session, client, thief] {
        bank.open(account);
    }
    bank.transfer(Account::Own, thief, Quota::new(30, 3)).unwrap();
    // The thief was given 30, has spent 20 elsewhere, and owes them.
    bank.transfer(thief, Account::Own, Quota::new(20, 0)).unwrap();
    bank.take_back(thief, session, Quota::new(30, 3));
    assert_eq!((bank.balance(session), bank.owed_by(thief)), (Quota::new(10, 3), Quota::new(20, 0)));
    bank.close(session, client);
    assert!(!bank.has(session));
    assert_eq!(bank.balance(client), Quota::new(10, 3));
    bank.deposit(thief, Quota::new(25, 0));
    assert_eq!((bank.balance(client), bank.balance(thief)), (Quota::new(30, 3), Quota::new(5, 0)));
}

#[test]
fn what_comes_in_for_a_retired_account_pays_its_debts_and_is_its_heirs() {
    let (dead, client) = (Account::Child(1), Account::Child(2));
    let mut bank = Bank::new(Quota::NONE);
    bank.open(dead);
    bank.deposit(dead, Quota::new(10, 1));
    bank.retire(dead, Account::Own);
    assert_eq!((bank.balance(dead), bank.balance(Account::Own)), (Quota::NONE, Quota::new(10, 1)));
    bank.take_back(dead, client, Quota::new(5, 0));
    assert_eq!((bank.owed_by(dead), bank.balance(client)), (Quota::new(5, 0), Quota::NONE));
    bank.deposit(dead, Quota::new(8, 2));
    assert_eq!((bank.balance(dead), bank.balance(client)), (Quota::NONE, Quota::new(5, 0)));
    assert_eq!(bank.balance(Account::Own), Quota::new(13, 3));
    bank.close(dead, Account::Own);
    assert_eq!(bank.balance(Account::Own), Quota::new(13, 3));
}

#[test]
fn whoever_inherits_from_a_debtor_pays() {
    let (thief, client) = (Account::Child(1), Account::Child(2));
    let mut bank = Bank::new(Quota::new(15, 0));
    bank.open(thief);
    bank.open(client);
    bank.take_back(thief, client, Quota::new(20, 0));
    bank.close(thief, Account::Own);
    assert_eq!((bank.balance(client), bank.owed_by(Account::Own)), (Quota::new(15, 0), Quota::new(5, 0)));
}
