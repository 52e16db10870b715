/** Error names and numbers of asm-generic/errno.h, the same on x86-64 and aarch64. */
const NAMES: readonly string[] =
  ("OK EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST " +
    "EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE " +
    "EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP E41 ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH " +
    "ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT E58 EBFONT ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG " +
    "EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC " +
    "ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE " +
    "ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN " +
    "ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT " +
    "ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT " +
    "ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL " +
    "EHWPOISON").split(" ");

/** Name of an error number, "E<number>" for one without a name. */
export function errnoName(errno: number): string {
  return NAMES[errno] ?? `E${errno}`;
}

/** Number of an error name. @throws {RangeError} for a name that does not exist: a defect of the caller */
export function errnoNumber(name: string): number {
  const errno = NAMES.indexOf(name);
  if (errno < 1) throw new RangeError(`Cannot find error number of '${name}'`);
  return errno;
}

/** A system call that failed: which, on what, and how. */
export class SyscallError extends Error {
  override readonly name = "SyscallError";
  /** Kernel name, such as "ENOENT". */
  readonly errnoName: string;

  /** @param call name of the call @param errno positive number @param target path or object, if there is one */
  constructor(readonly call: string, readonly errno: number, readonly target?: string) {
    super(`${call}${target === undefined ? "" : ` ${target}`}: ${errnoName(errno)}`);
    this.errnoName = errnoName(errno);
  }
}

/** Whether the call was only interrupted (EINTR). */
export function retryable(errno: number): boolean {
  return errno === 4;
}
