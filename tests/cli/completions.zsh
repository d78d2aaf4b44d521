# Types $LINE and a tab into an interactive zsh that has loaded $SCRIPT, and writes what it offers to $OUT, a word a line.
zmodload zsh/zpty
zpty inner zsh -f -i
cat >$OUT.rc <<'INNER'
PROMPT=
autoload -U compinit
compinit -u -D
source $SCRIPT
# Everything that is offered goes through compadd.
compadd () {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return $?; fi
  typeset -a offered
  builtin compadd -A offered "$@"
  print -rl -- $offered >>$OUT
  builtin compadd "$@"
}
ended () { exit }
comppostfuncs=(ended)
bindkey '^I' complete-word
INNER
# The echo of the line has the quotes, its output has not.
zpty -w inner "source $OUT.rc; print re''ady"
zpty -r -m inner seen '*ready*'
zpty -w -n inner "$LINE"$'\t'
zpty -r -m inner seen '*(the end)*'
exit 0
