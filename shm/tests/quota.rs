//! Who pays, how much, and until when.

use portcullis_shm::{Error, RamAccount, RamAllocator, RamQuota};

const PAGE: u64 = 4096;

fn pages(count: u64) -> RamQuota {
    RamQuota::bytes(count * PAGE)
}

#[test]
fn fig7_c1_an_allocation_is_held_to_the_budget_that_was_donated() -> Result<(), Error> {
    let (client, session) = (RamAccount::new(pages(100)), RamAccount::new(pages(0)));
    client.transfer(&session, pages(10))?;
    assert_eq!((client.limit(), session.limit()), (pages(90), pages(10)));
    let allocator = RamAllocator::new(&session);
    assert_eq!(
        allocator.alloc(10 * 4096).map(drop),
        Err(Error::OutOfRam { asked: pages(11), available: pages(10) }),
        "a page more than its content"
    );
    let dataspace = allocator.alloc(9 * 4096)?;
    assert_eq!(session.available(), pages(0));
    assert!(session.transfer(&client, pages(1)).is_err(), "what is spent cannot be given back");
    drop(dataspace);
    session.transfer(&client, pages(10))?;
    assert_eq!((client.limit(), session.limit()), (pages(100), pages(0)));
    Ok(())
}

#[test]
fn sizes_are_rounded_up_to_pages() -> Result<(), Error> {
    let account = RamAccount::new(RamQuota::mib(1));
    let allocator = RamAllocator::new(&account);
    for (size, cost) in [(1, 2), (4095, 2), (4096, 2), (4097, 3), (100_000, 26)] {
        let dataspace = allocator.alloc(size)?;
        assert_eq!((dataspace.size(), account.used()), (size, pages(cost)));
    }
    assert_eq!(account.used(), pages(0));
    Ok(())
}

#[test]
fn impossible_sizes_are_errors_and_cost_nothing() {
    let account = RamAccount::new(RamQuota::bytes(u64::MAX));
    let allocator = RamAllocator::new(&account);
    for size in [0, usize::MAX, usize::MAX - 4095, usize::MAX - 8192, isize::MAX as usize] {
        assert_eq!(allocator.alloc(size).map(drop), Err(Error::BadSize { size }));
    }
    assert_eq!(account.used(), RamQuota::bytes(0));
}

#[test]
fn scenario_14_the_owners_free_regains_quota_and_that_once() -> Result<(), Error> {
    let account = RamAccount::new(pages(10));
    let allocator = RamAllocator::new(&account);
    let (first, second) = (allocator.alloc(4096)?, allocator.alloc(4096)?);
    let capability = first.capability();
    let foreign = capability.import()?;
    assert_eq!(account.used(), pages(4));
    drop((foreign, capability));
    assert_eq!(account.used(), pages(4), "what others do with what they have of it changes nothing");
    assert!(first.free().is_none());
    assert_eq!(account.used(), pages(2));
    drop(second);
    assert_eq!(account.used(), pages(0));
    Ok(())
}

#[test]
fn what_is_sealed_against_writers_stays_on_the_account_while_others_may_have_it() -> Result<(), Error> {
    let account = RamAccount::new(pages(10));
    let allocator = RamAllocator::new(&account);
    assert!(allocator.alloc_published(4096)?.free().is_none(), "nobody has it");
    let published = allocator.alloc_published(4096)?;
    let _elsewhere = published.capability();
    let lingering = published.free().expect("somebody may have it");
    assert_eq!((lingering.amount(), account.used()), (pages(2), pages(2)));
    drop(lingering);
    assert_eq!(account.used(), pages(0));

    let dropped = allocator.alloc_published(4096)?;
    let _elsewhere = dropped.capability();
    drop(dropped);
    assert_eq!(account.used(), pages(2), "nobody can say that its holders are gone");
    Ok(())
}

#[test]
fn attack_32_a_foreign_dataspace_is_paid_for_before_it_is_attached() -> Result<(), Error> {
    let maker = RamAllocator::new(&RamAccount::new(RamQuota::mib(1)));
    let capability = maker.alloc(8 * 4096)?;
    let capability = capability.capability();
    let donated = RamAccount::new(pages(20));
    let limit = 9 * 4096;
    assert_eq!(
        capability.attach_foreign(limit - 1, &donated).map(drop),
        Err(Error::TooLarge { size: limit, limit: limit - 1 })
    );
    let poor = RamAccount::new(pages(8));
    assert!(matches!(capability.attach_foreign(limit, &poor).map(drop), Err(Error::OutOfRam { .. })));
    assert_eq!(poor.used(), pages(0));
    Ok(())
}

#[test]
fn a_foreign_dataspace_is_paid_for_until_its_last_attachment_is_gone() -> Result<(), Error> {
    let owned = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(8 * 4096)?;
    let donated = RamAccount::new(pages(20));
    let foreign = owned.capability().import_foreign(1 << 20, &donated)?;
    let attached = foreign.attach_read_only(portcullis_shm::Window::WHOLE)?;
    drop(foreign);
    let clone = attached.clone();
    drop(attached);
    assert_eq!(donated.used(), pages(9));
    drop(clone);
    assert_eq!(donated.used(), pages(0));
    Ok(())
}

#[test]
fn accounts_are_exact_under_threads() -> Result<(), Error> {
    let (one, other) = (RamAccount::new(pages(50)), RamAccount::new(pages(50)));
    std::thread::scope(|scope| {
        for (from, to) in [(&one, &other), (&other, &one)] {
            scope.spawn(move || {
                for _ in 0..2_000 {
                    let _ = from.transfer(to, pages(3));
                    let reserved = from.reserve(pages(7));
                    assert!(from.used() <= from.limit().max(pages(100)));
                    drop(reserved);
                }
            });
        }
    });
    assert_eq!(one.limit().in_bytes() + other.limit().in_bytes(), 100 * PAGE);
    assert_eq!((one.used(), other.used()), (pages(0), pages(0)));
    let full = RamAccount::new(RamQuota::bytes(u64::MAX));
    assert!(one.transfer(&full, pages(1)).is_err(), "more than can be counted");
    assert_eq!(one.limit().in_bytes() + other.limit().in_bytes(), 100 * PAGE);
    Ok(())
}
