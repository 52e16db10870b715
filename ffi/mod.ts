/** The kernel's and libc's surface as typed calls: no pointer, C string or -1 leaves this folder. */
export { ARCH, type Arch } from "./arch.ts";
export * as constants from "./constants.ts";
export { errnoName, errnoNumber, SyscallError } from "./errno.ts";
export * from "./fd.ts";
export { ModificationWatcher } from "./inotify.ts";
export { INIT_FDS, openInit, PROGRAM_FDS, STATUS_BYTES } from "./init.ts";
export { LaunchTable, type PointingStruct, type SyscallArg, type TableCall } from "./launch_table.ts";
export { openMountTree, type OpenTreeOptions } from "./mount_tree.ts";
export { landlockAbi } from "./landlock.ts";
export { chroot, mount, setns, unshare } from "./namespaces.ts";
export { type FdWatch, Poller, whenReadable } from "./poller.ts";
export { pidfdOpen, pidfdSendSignal, prctl, reapChild } from "./process.ts";
export { launch, LAUNCH_EXTRA_BYTES, type Launched, type LaunchOptions } from "./trampoline.ts";
export { WallTimer } from "./wall_timer.ts";
