//! Old runtimes: a seccomp profile that answers clone3 with EPERM keeps a current glibc from starting threads.
//!
//! Docker before 20.10.10 does so by its default profile, which does not know the call. glibc from 2.34 starts threads by
//! clone3 and falls back to clone on ENOSYS only, so that Java ends with "pthread_create failed". Among filters of the
//! same action the newest counts (seccomp(2)), so one of our own turns the answer into ENOSYS.

use std::ffi::{c_int, c_long, c_ulong};
use std::io;

/// clone3 on x86_64 and on aarch64, as on all that were added since.
const CLONE3: u32 = 435;
/// "No such call", as a kernel without it answers.
pub const ENOSYS: u16 = 38;
/// "Not allowed", as an old profile answers.
pub const EPERM: u16 = 1;

/// Probes clone3; where the runtime answers EPERM, sets no_new_privs and installs a filter that answers ENOSYS, upon which
/// glibc falls back to clone. Returns what was done, where something was.
pub fn allow_threads() -> Result<Option<&'static str>, io::Error> {
    if probe() != Some(EPERM) {
        return Ok(None);
    }
    answer_clone3(ENOSYS)?;
    Ok(Some(
        "the runtime's seccomp profile denies clone3, so a filter answers that there is no such call: Java can start threads",
    ))
}

/// The error that clone3 is answered with. It is called with nothing to do: without a profile the kernel refuses that as
/// invalid, and nothing is started.
pub fn probe() -> Option<u16> {
    #[allow(unsafe_code, reason = "the standard library has no clone3")]
    // SAFETY: the kernel checks the size first, and zero is less than the smallest structure: it reads nothing.
    let answer = unsafe { syscall(c_long::from(CLONE3), std::ptr::null::<u8>(), 0_usize) };
    match answer {
        -1 => io::Error::last_os_error().raw_os_error().and_then(|error| u16::try_from(error).ok()),
        _ => None,
    }
}

/// From now on this thread, and what it becomes or starts, gets this error as the answer to clone3.
pub fn answer_clone3(error: u16) -> io::Result<()> {
    let Some(architecture) = ARCHITECTURE else {
        return Err(io::Error::other("it is made for x86_64 and aarch64 only"));
    };
    let filter = filter(architecture, error);
    let program = Program { length: u16::try_from(filter.len()).unwrap_or_default(), filter: filter.as_ptr() };
    let (yes, unused): (c_ulong, c_ulong) = (1, 0);
    #[allow(unsafe_code, reason = "the standard library has no prctl")]
    // SAFETY: the first call takes numbers only; the second reads `program` and the instructions that it points to, both
    // of which live until it returns.
    let done = unsafe {
        prctl(SET_NO_NEW_PRIVS, yes, unused, unused, unused) == 0
            && prctl(SET_SECCOMP, MODE_FILTER, &raw const program, unused, unused) == 0
    };
    if done { Ok(()) } else { Err(io::Error::last_os_error()) }
}

const SET_NO_NEW_PRIVS: c_int = 38;
const SET_SECCOMP: c_int = 22;
const MODE_FILTER: c_ulong = 2;

/// AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64 (linux/audit.h).
const ARCHITECTURE: Option<u32> = match () {
    () if cfg!(target_arch = "x86_64") => Some(0xC000_003E),
    () if cfg!(target_arch = "aarch64") => Some(0xC000_00B7),
    () => None,
};

/// An instruction of classic BPF, `struct sock_filter`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Instruction {
    code: u16,
    jump_if: u8,
    jump_else: u8,
    value: u32,
}

/// `struct sock_fprog`.
#[repr(C)]
struct Program {
    length: u16,
    filter: *const Instruction,
}

/// Allows everything but clone3 of this architecture. Calls of x32 have another number, and those of i386 another
/// architecture: glibc's own is neither.
fn filter(architecture: u32, error: u16) -> [Instruction; 6] {
    const LOAD: u16 = 0x20;
    const JUMP_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    const ALLOW: u32 = 0x7FFF_0000;
    const ERROR: u32 = 0x0005_0000;
    // Places in `struct seccomp_data`.
    const NUMBER_AT: u32 = 0;
    const ARCHITECTURE_AT: u32 = 4;
    let step = |code, value| Instruction { code, jump_if: 0, jump_else: 0, value };
    [
        step(LOAD, ARCHITECTURE_AT),
        Instruction { code: JUMP_EQUAL, jump_if: 0, jump_else: 3, value: architecture },
        step(LOAD, NUMBER_AT),
        Instruction { code: JUMP_EQUAL, jump_if: 0, jump_else: 1, value: CLONE3 },
        step(RETURN, ERROR | u32::from(error)),
        step(RETURN, ALLOW),
    ]
}

#[allow(unsafe_code, reason = "declares what is called above")]
unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn prctl(option: c_int, ...) -> c_int;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a filter says to a call, as the kernel would run it.
    fn run(filter: &[Instruction], number: u32, architecture: u32) -> u32 {
        let (mut at, mut loaded) = (0, 0);
        loop {
            let step = filter[at];
            at += 1;
            match step.code {
                0x20 => loaded = if step.value == 0 { number } else { architecture },
                0x15 => at += usize::from(if loaded == step.value { step.jump_if } else { step.jump_else }),
                _ => return step.value,
            }
        }
    }

    #[test]
    fn only_clone3_of_the_own_architecture_is_answered() {
        const ALLOWED: u32 = 0x7FFF_0000;
        for (own, other) in [(0xC000_003E, 0x4000_0003), (0xC000_00B7, 0x4000_0028)] {
            let filter = filter(own, ENOSYS);
            assert_eq!(run(&filter, 435, own), 0x0005_0026);
            for (number, architecture) in [(56, own), (435 | 0x4000_0000, own), (435, other), (0, own)] {
                assert_eq!(run(&filter, number, architecture), ALLOWED, "{number} {architecture:x}");
            }
        }
    }
}
