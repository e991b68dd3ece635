//! Region maps: where dataspaces are put, what is refused, and what an access finds.

use portcullis_shm::{Dataspace, Error, RamAccount, RamAllocator, RamQuota, Region, RegionMap, Window};

const PAGE: usize = 4096;

fn allocator() -> RamAllocator {
    RamAllocator::new(&RamAccount::new(RamQuota::mib(64)))
}

/// A dataspace whose pages say which they are.
fn numbered(pages: usize) -> Result<Dataspace, Error> {
    let dataspace = allocator().alloc(pages * PAGE)?;
    let attached = dataspace.attach(Window::WHOLE)?;
    (0..pages).try_for_each(|page| attached.write(page * PAGE, &(page as u64)))?;
    Ok(dataspace)
}

fn number(map: &RegionMap, place: usize) -> Result<u64, Error> {
    let mut bytes = [0; 8];
    map.copy_to(place, &mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

/// How the system says that the page at a place of this process may be accessed: "rw-s", for example.
fn protection(address: usize) -> Option<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let address_of = |text| usize::from_str_radix(text, 16).ok();
        (address_of(start)?..address_of(end)?).contains(&address).then(|| rest[..4].to_owned())
    })
}

#[test]
fn scenario_10_boundaries_overlaps_and_double_attachments_are_refused() -> Result<(), Error> {
    let dataspace = numbered(4)?;
    let map = RegionMap::reserve(16 * PAGE)?;
    assert!(matches!(map.attach_at(13 * PAGE, &dataspace, Window::WHOLE), Err(Error::OutOfBounds { .. })));
    assert!(matches!(
        map.attach_at(usize::MAX & !(PAGE - 1), &dataspace, Window::WHOLE),
        Err(Error::OutOfBounds { .. })
    ));
    assert!(matches!(map.attach_at(17 * PAGE, &dataspace, Window::WHOLE), Err(Error::OutOfBounds { .. })));
    assert_eq!(
        map.attach_at(100, &dataspace, Window::WHOLE),
        Err(Error::Misaligned { offset: 100, alignment: PAGE })
    );
    assert!(map.regions().is_empty(), "nothing of what was refused is there");

    map.attach_at(12 * PAGE, &dataspace, Window::WHOLE)?;
    map.attach_at(4 * PAGE, &dataspace, Window::WHOLE)?;
    let other = numbered(2)?;
    let overlap = |page: usize, pages: usize| Err(Error::Overlap { place: page * PAGE, len: pages * PAGE });
    assert_eq!(map.attach_at(4 * PAGE, &dataspace, Window::WHOLE), overlap(4, 4), "twice at one place");
    assert_eq!(map.attach_at(3 * PAGE, &other, Window::WHOLE), overlap(3, 2));
    assert_eq!(map.attach_at(7 * PAGE, &other, Window::WHOLE), overlap(7, 2));
    assert_eq!(map.attach_at(5 * PAGE, &other, Window::WHOLE), overlap(5, 2));
    map.attach_at(2 * PAGE, &other, Window::WHOLE)?;
    map.attach_at(8 * PAGE, &other, Window::WHOLE)?;
    assert_eq!(map.attach(&dataspace, Window::WHOLE), Err(Error::NoRoom { len: 4 * PAGE }));
    assert_eq!(map.attach(&other, Window::WHOLE), Ok(0), "the first place with enough room");
    assert_eq!(number(&map, 5 * PAGE), Ok(1), "what was there is still there");
    Ok(())
}

#[test]
fn scenario_10_windows_show_their_part() -> Result<(), Error> {
    let dataspace = numbered(8)?;
    let map = RegionMap::reserve(16 * PAGE)?;
    map.attach_at(0, &dataspace, Window::new(3 * PAGE, 2 * PAGE))?;
    map.attach_at(2 * PAGE, &dataspace, Window::from(7 * PAGE))?;
    map.attach_at(3 * PAGE, &dataspace, Window::new(PAGE, 100))?;
    let numbers: Vec<_> = (0..4).map(|page| number(&map, page * PAGE)).collect();
    assert_eq!(numbers, [Ok(3), Ok(4), Ok(7), Ok(1)]);
    assert_eq!(number(&map, 3 * PAGE + 96), Err(Error::Unattached { place: 3 * PAGE + 100 }));
    let outside = map.attach(&dataspace, Window::new(7 * PAGE, PAGE + 1));
    assert!(matches!(outside, Err(Error::OutOfBounds { .. })));
    assert!(matches!(map.attach(&dataspace, Window::new(usize::MAX, 2)), Err(Error::OutOfBounds { .. })));
    assert!(matches!(map.attach(&dataspace, Window::new(8 * PAGE, 0)), Err(Error::BadSize { size: 0 })));
    assert!(matches!(map.attach(&dataspace, Window::from(1)), Err(Error::Misaligned { .. })));
    Ok(())
}

#[test]
fn scenario_10_what_is_detached_cannot_be_accessed_and_its_place_is_free() -> Result<(), Error> {
    let (dataspace, other) = (numbered(2)?, numbered(2)?);
    let map = RegionMap::reserve(4 * PAGE)?;
    let base = map.base() as usize;
    map.attach_at(PAGE, &dataspace, Window::WHOLE)?;
    assert_eq!(protection(base + PAGE).as_deref(), Some("rw-s"));
    assert_eq!(protection(base).as_deref(), Some("---p"));
    assert_eq!(map.detach(2 * PAGE), Err(Error::Unattached { place: 2 * PAGE }), "it begins elsewhere");
    map.detach(PAGE)?;
    assert_eq!(map.detach(PAGE), Err(Error::Unattached { place: PAGE }));
    assert_eq!(number(&map, PAGE), Err(Error::Unattached { place: PAGE }));
    assert_eq!(protection(base + PAGE).as_deref(), Some("---p"));

    map.attach_at(PAGE, &dataspace, Window::WHOLE)?;
    let held = map.attachment(PAGE)?;
    map.detach(PAGE)?;
    assert_eq!(held.read(PAGE), Ok(1_u64), "who has it uses it");
    assert!(
        matches!(map.attach_at(PAGE, &other, Window::WHOLE), Err(Error::Overlap { .. })),
        "so it is not free yet"
    );
    drop(held);
    map.attach_at(PAGE, &other, Window::WHOLE)?;
    let last = map.attachment(PAGE)?;
    drop(map);
    assert_eq!(last.read(PAGE), Ok(1_u64), "an attachment outlives its map");
    Ok(())
}

#[test]
fn scenario_11_faults_are_resolved_by_attaching() -> Result<(), Error> {
    let map = RegionMap::reserve(64 * PAGE)?;
    let allocator = allocator();
    let (mut faults, mut backing) = (Vec::new(), Vec::new());
    for place in (0..64 * PAGE - 8).step_by(5 * PAGE / 2) {
        // What was written is there; what there is no memory for is named, and the access is tried again.
        loop {
            match map.copy_from(place, &place.to_le_bytes()) {
                Err(Error::Unattached { place: missing }) => {
                    faults.push(missing);
                    let page = allocator.alloc(PAGE)?;
                    map.attach_at(missing / PAGE * PAGE, &page, Window::WHOLE)?;
                    backing.push(page);
                }
                written => break written?,
            }
        }
        assert_eq!(number(&map, place), Ok(place as u64));
    }
    assert_eq!(faults.len(), backing.len());
    assert_eq!(faults.len(), map.regions().len(), "each page once");
    Ok(())
}

#[test]
fn scenario_11_a_nested_map_shows_within_the_one_around_it() -> Result<(), Error> {
    let dataspace = numbered(4)?;
    let map = RegionMap::reserve(64 * PAGE)?;
    let nested = map.nest(16 * PAGE, 32 * PAGE)?;
    let inner = nested.nest(8 * PAGE, 8 * PAGE)?;
    assert_eq!(nested.base() as usize, map.base() as usize + 16 * PAGE);
    assert_eq!(number(&map, 17 * PAGE), Err(Error::Unattached { place: 17 * PAGE }));
    nested.attach_at(PAGE, &dataspace, Window::WHOLE)?;
    inner.attach_at(2 * PAGE, &dataspace, Window::from(3 * PAGE))?;
    assert_eq!(number(&map, 18 * PAGE), Ok(1));
    assert_eq!(number(&map, 26 * PAGE), Ok(3), "two maps further in");
    assert_eq!(
        number(&map, 27 * PAGE),
        Err(Error::Unattached { place: 27 * PAGE }),
        "in the outermost map's places"
    );
    map.copy_from(26 * PAGE, &77_u64.to_le_bytes())?;
    assert_eq!(dataspace.attach(Window::WHOLE)?.read(3 * PAGE), Ok(77_u64));

    assert!(matches!(map.attach_at(20 * PAGE, &dataspace, Window::WHOLE), Err(Error::Overlap { .. })));
    assert!(matches!(nested.attach_at(31 * PAGE, &dataspace, Window::WHOLE), Err(Error::OutOfBounds { .. })));
    assert!(matches!(map.nest(40 * PAGE, 10 * PAGE), Err(Error::Overlap { .. })));
    map.detach(16 * PAGE)?;
    assert_eq!(number(&map, 18 * PAGE), Err(Error::Unattached { place: 18 * PAGE }));
    assert_eq!(number(&nested, 2 * PAGE), Ok(1), "to whoever has it, it is a map as before");
    drop((nested, inner));
    map.attach_at(20 * PAGE, &dataspace, Window::WHOLE)?;
    Ok(())
}

#[test]
fn scenario_11_writes_to_what_can_only_be_read_are_errors() -> Result<(), Error> {
    let (plain, published) = (numbered(1)?, allocator().alloc_published(PAGE)?);
    let map = RegionMap::reserve(4 * PAGE)?;
    assert_eq!(map.attach_read_only(&plain, Window::WHOLE)?, 0);
    assert_eq!(map.copy_from(0, &[1]), Err(Error::ReadOnly));
    map.detach(0)?;
    map.attach_read_only_at(0, &plain, Window::WHOLE)?;
    map.attach_at(PAGE, &published, Window::WHOLE)?;
    map.attach_at(2 * PAGE, &plain, Window::WHOLE)?;
    for place in [0, PAGE, 2 * PAGE - 4] {
        assert_eq!(map.copy_from(place, &[1; 8]), Err(Error::ReadOnly));
    }
    assert_eq!(number(&map, 2 * PAGE), Ok(0), "nothing is written of what reaches into it");
    assert_eq!(map.attachment(0)?.write(0, &1_u8), Err(Error::ReadOnly));
    let writable: Vec<_> = map.regions().iter().map(|region| region.writable).collect();
    assert_eq!(writable, [false, false, true]);
    assert_eq!(protection(map.base() as usize + PAGE).as_deref(), Some("r--s"));
    Ok(())
}

#[test]
fn g31_what_its_owner_frees_leaves_every_map() -> Result<(), Error> {
    let (dataspace, other) = (numbered(2)?, numbered(2)?);
    let foreign = dataspace.capability().import()?;
    let maps = [RegionMap::reserve(8 * PAGE)?, RegionMap::reserve(8 * PAGE)?];
    for map in &maps {
        map.attach_at(0, &dataspace, Window::WHOLE)?;
        map.attach_at(2 * PAGE, &foreign, Window::WHOLE)?;
        map.attach_at(4 * PAGE, &other, Window::WHOLE)?;
    }
    let held = maps[1].attachment(0)?;
    drop(dataspace);
    for map in &maps {
        assert_eq!(number(map, PAGE), Err(Error::Revoked));
        assert_eq!(number(map, 3 * PAGE), Err(Error::Revoked));
        assert_eq!(map.copy_from(0, &[1]), Err(Error::Revoked));
        assert_eq!(map.regions(), [Region { place: 4 * PAGE, len: 2 * PAGE, writable: true }]);
        map.attach_at(2 * PAGE, &other, Window::WHOLE)?;
        assert_eq!(number(map, 3 * PAGE), Ok(1));
        assert_eq!(map.attach(&foreign, Window::WHOLE), Err(Error::Revoked));
    }
    assert!(
        matches!(maps[1].attach_at(0, &other, Window::WHOLE), Err(Error::Overlap { .. })),
        "somebody holds it"
    );
    assert_eq!(held.read::<u8>(0), Err(Error::Revoked));
    drop(held);
    maps[1].attach_at(0, &other, Window::WHOLE)
}
