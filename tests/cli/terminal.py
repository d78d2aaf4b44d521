"""Runs a command on a pseudo-terminal of COLUMNS x ROWS and passes on what it shows; ends as the command ends.

Lines on standard input act on the terminal: "type HEX" types bytes (03 is Ctrl-C), "size COLUMNS ROWS" resizes it
and says <resized>; "close" closes it, as a window is closed.
"""
import fcntl, os, pty, select, struct, sys, termios


def resize(terminal, columns, rows):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", int(rows), int(columns), 0, 0))


child, terminal = pty.fork()
if child == 0:
    resize(0, sys.argv[1], sys.argv[2])
    os.execvp(sys.argv[3], sys.argv[3:])
resize(terminal, sys.argv[1], sys.argv[2])
sources, pending = [terminal, 0], b""
while terminal in sources:
    for source in select.select(sources, [], [])[0]:
        try:
            data = os.read(source, 65536)
        except OSError:  # Linux answers EIO once nobody has the terminal open any more
            data = b""
        if not data:
            sources.remove(source)
        elif source == terminal:
            os.write(1, data)
        else:
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                verb, *words = line.decode().split()
                if verb == "close":
                    os.close(terminal)
                    sources.clear()
                elif verb == "type":
                    os.write(terminal, bytes.fromhex(words[0]))
                else:
                    resize(terminal, *words)
                    os.write(1, b"<resized>")  # what was drawn before stands before it
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
