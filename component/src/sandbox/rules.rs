//! Landlock's rules: what may be opened, and for what.

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, Scope,
};
use std::fs::File;
use std::os::fd::OwnedFd;

/// The latest version whose rights we know. What a kernel lacks of it is left out.
const KNOWN: ABI = ABI::V7;

/// Rules under which these programs and libraries can be read and run, those files and directories read, and nothing else be
/// done with any file: not even looked at by a listing. No TCP, and with scopes no socket and no signal leads out.
///
/// `None` if the kernel has no Landlock.
pub(crate) fn rules<'a>(
    runnable: impl IntoIterator<Item = &'a File>,
    readable: impl IntoIterator<Item = (&'a File, bool)>,
) -> Result<Option<OwnedFd>, RulesetError> {
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))?
        .handle_access(AccessNet::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?
        .create()?;
    for file in runnable {
        rules = rules.add_rule(PathBeneath::new(file, AccessFs::ReadFile | AccessFs::Execute))?;
    }
    for (file, directory) in readable {
        let access: BitFlags<AccessFs> =
            if directory { AccessFs::ReadFile | AccessFs::ReadDir } else { AccessFs::ReadFile.into() };
        rules = rules.add_rule(PathBeneath::new(file, access))?;
    }
    Ok(rules.into())
}
