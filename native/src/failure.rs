//! Failures of the system as Node reports its own: an Error whose `code` names the cause, which
//! whoever catches it turns into words.

use std::ffi::{CStr, c_char, c_int};
use std::io;

/// What an exported function gives back: its value, or an Error with a code such as `EADDRINUSE`.
pub type Result<T> = napi::Result<T, String>;

/// Longer than any name of an error.
const NAME_BYTES: usize = 64;

unsafe extern "C" {
    /// Of libuv, which is in the process that loads the addon.
    fn uv_err_name_r(error: c_int, name: *mut c_char, bytes: usize) -> *mut c_char;
}

/// The Error for what `call` came back with.
pub fn failed(call: &str, error: &io::Error) -> napi::Error<String> {
    // What std finds out by itself, such as a path that is too long, has no number.
    let code = name_of(error.raw_os_error().unwrap_or(libc::EINVAL));
    napi::Error::new(code.clone(), format!("{call} failed ({code})"))
}

fn name_of(errno: i32) -> String {
    let mut name = [0 as c_char; NAME_BYTES];
    // SAFETY: the array is as long as is said, lives through the call, and comes back ended by a
    // zero. libuv has a name for every number.
    let name = unsafe { CStr::from_ptr(uv_err_name_r(-errno, name.as_mut_ptr(), NAME_BYTES)) };
    name.to_string_lossy().into_owned()
}
