//! The links that tell whether client and server mean the same method; computed by the compiler.

/// The links of an interface: those of its base, then one for each of its own signatures (name and types of a
/// method, as text). `N` is the number of all of them.
#[must_use]
pub const fn chain<const N: usize>(base: &[u64], interface: &str, signatures: &[&str]) -> [u64; N] {
    assert!(N == base.len() + signatures.len());
    let mut links = [0; N];
    let mut opcode = 0;
    while opcode < N {
        links[opcode] = if opcode < base.len() {
            base[opcode]
        } else {
            let named = mix(mix(START, interface.as_bytes()), &(opcode as u64).to_le_bytes());
            mix(named, signatures[opcode - base.len()].as_bytes())
        };
        opcode += 1;
    }
    links
}

/// The method names of an interface: those of its base, then its own.
#[must_use]
pub const fn methods<const N: usize>(base: &[&'static str], own: &[&'static str]) -> [&'static str; N] {
    assert!(N == base.len() + own.len());
    let mut names = [""; N];
    let mut opcode = 0;
    while opcode < N {
        names[opcode] = if opcode < base.len() { base[opcode] } else { own[opcode - base.len()] };
        opcode += 1;
    }
    names
}

/// FNV-1a, 64 bits: its offset basis and prime. The links guard against mistakes; against malice the capability does.
const START: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

/// Mixes bytes into a hash, and their number, so that no two sequences of strings look alike.
const fn mix(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(PRIME);
        at += 1;
    }
    (hash ^ bytes.len() as u64).wrapping_mul(PRIME)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: [u64; 2] = chain(&[], "a.Log", &["write(&str)", "flush()"]);

    #[test]
    fn an_appended_method_changes_no_link() {
        let new: [u64; 3] = chain(&[], "a.Log", &["write(&str)", "flush()", "clear()"]);
        assert_eq!(new[..2], OLD);
    }

    #[test]
    fn a_changed_signature_changes_the_link_of_that_method_only() {
        let new: [u64; 2] = chain(&[], "a.Log", &["write(&[u8])", "flush()"]);
        assert_ne!(new[0], OLD[0]);
        assert_eq!(new[1], OLD[1]);
    }

    #[test]
    fn an_inserted_method_changes_the_links_from_there_on() {
        let new: [u64; 3] = chain(&[], "a.Log", &["write(&str)", "clear()", "flush()"]);
        assert_eq!(new[0], OLD[0]);
        assert!(!new[1..].contains(&OLD[1]));
    }

    #[test]
    fn the_links_of_another_name_all_differ() {
        let other: [u64; 2] = chain(&[], "b.Log", &["write(&str)", "flush()"]);
        assert!(other.iter().all(|link| !OLD.contains(link)));
    }

    #[test]
    fn a_derived_interface_begins_with_its_base() {
        let derived: [u64; 3] = chain(&OLD, "a.File", &["seek(u64)"]);
        assert_eq!(derived[..2], OLD);
        assert_eq!(methods::<3>(&["write", "flush"], &["seek"]), ["write", "flush", "seek"]);
    }
}
