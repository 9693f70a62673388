//! Which revision of the interface between TypeScript and the addon this one speaks, so that a file
//! left over from an older build is not used. The same number stands in `src/net/addon.ts`.

use napi_derive::napi;

#[napi(js_name = "REVISION")]
pub const REVISION: u32 = 3;
