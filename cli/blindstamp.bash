# Completion of blindstamp for bash.
_blindstamp_models() {
    blindstamp models --json 2>/dev/null | sed -n 's/^ *"name": "\([^"]*\)".*/\1/p'
}

_blindstamp_styles() { # MODEL
    blindstamp models "$1" --json 2>/dev/null | sed -n '/"styles": \[/,/\]/{p;/\]/q}' | sed -n 's/^ *"\([^"]*\)",\{0,1\}$/\1/p'
}

_blindstamp() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb="" model="" i options
    local common="--home --json --quiet --help -q -h"
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --home) ((i++)) ;;
        -*) ;;
        *) verb=${COMP_WORDS[i]} && break ;;
        esac
    done
    if [ -z "$verb" ]; then
        case $prev in
        --home) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
        *) mapfile -t COMPREPLY < <(compgen -W "init model models gen sign verify show query audit decide transfer withdraw erase revoke ledger key trust cert timestamp train help --version --help --home" -- "$cur") ;;
        esac
        return
    fi

    case $verb in
    init) options="--author -a --email --url --passphrase-file --no-passphrase" ;;
    model) options="--card --architecture --encoder --style-picture --name --license --force -f --threads --size --runs --profile --output -o --passphrase-file" ;;
    models) options="" ;;
    gen) options="--model -m --seed -s --mix --latent-generator --size --style --label -l --truncation -t --tile --memory --tile-size --input -i --title --prompt --description --privacy --no-train --profile --producer --propagator --no-thumbnail --output -o --name --force -f --threads --compression --tsa --staple --passphrase-file" ;;
    sign) options="--output -o --in-place --sidecar --source-type --privacy --no-train --profile --producer --propagator --keep-metadata --thumbnail --no-pixels --accept-broken --again --force -f --jobs -j --tsa --staple --passphrase-file" ;;
    verify) options="--pixels --jobs -j --replay -r --model -m --input -i --trust --trust-tsa --trust-signer --ask-revocation --log-key --ledger --format -f --details -d --threads --memory" ;;
    show) options="--format -f" ;;
    query) options="--author -a --model -m --seed -s --since --until --text -t --digest --parent --trained-on --licence -l --privacy --source-type --id --kind -k --ledger --sort --reverse -r --limit -n --offset --after --as-of --csv --count -c --count-by" ;;
    audit) options="--rule --skip --list --html --sarif --force -f --gap --slack --trust --trust-tsa --trust-signer --log-key --ledger --jobs -j" ;;
    decide) options="--select --among --edit --arrange --from --why --tool --privacy --passphrase-file" ;;
    transfer) options="--to --name --licence --passphrase-file" ;;
    withdraw) options="--reason --passphrase-file" ;;
    erase) options="--field --passphrase-file" ;;
    revoke) options="--since --reason --passphrase-file" ;;
    ledger) options="--ledger --log-key --checkpoint --tiles --why --passphrase-file" ;;
    key) options="--output -o --secret --name --role --passphrase-file --new-passphrase-file --remove" ;;
    trust) options="--kind -k --allowed --name --origin --date --force -f --details -d" ;;
    cert) options="--alg --organisation --country --output -o --key --key-passphrase-file --passphrase-file" ;;
    timestamp) options="--output -o --tsa" ;;
    train) options="--output -o --root --name --title --license --seed -s --steps -n --hours --batch --crop --samples --resume --threads --force -f --passphrase-file" ;;
    help) mapfile -t COMPREPLY < <(compgen -W "init model models gen sign verify show query audit decide transfer withdraw erase revoke ledger key trust cert timestamp train" -- "$cur") && return ;;
    *) return ;;
    esac

    case $verb:$prev in
    gen:--model | gen:-m | query:--model | query:-m)
        mapfile -t COMPREPLY < <(compgen -W "$(_blindstamp_models)" -f -- "$cur")
        return ;;
    gen:--style)
        for ((i = 1; i < COMP_CWORD; i++)); do
            case ${COMP_WORDS[i]} in -m | --model) model=${COMP_WORDS[i + 1]} ;; esac
        done
        [ -z "$model" ] || mapfile -t COMPREPLY < <(compgen -W "$(_blindstamp_styles "$model")" -- "$cur")
        return ;;
    key:--role) mapfile -t COMPREPLY < <(compgen -W "author operator" -- "$cur") && return ;;
    gen:--latent-generator) mapfile -t COMPREPLY < <(compgen -W "philox numpy-randomstate torch-cpu" -- "$cur") && return ;;
    cert:--alg) mapfile -t COMPREPLY < <(compgen -W "ed25519 es256 es384 es512 ps256 ps384 ps512" -- "$cur") && return ;;
    trust:--kind | trust:-k) mapfile -t COMPREPLY < <(compgen -W "manifest tsa cawg" -- "$cur") && return ;;
    verify:--format | verify:-f | show:--format | show:-f) mapfile -t COMPREPLY < <(compgen -W "ours crjson c2patool" -- "$cur") && return ;;
    gen:--privacy | sign:--privacy | decide:--privacy) mapfile -t COMPREPLY < <(compgen -W "public partner private" -- "$cur") && return ;;
    sign:--source-type) mapfile -t COMPREPLY < <(compgen -W "generated composite edited capture unknown" -- "$cur") && return ;;
    gen:--profile | sign:--profile) mapfile -t COMPREPLY < <(compgen -W "cn" -- "$cur") && return ;;
    gen:--tsa | sign:--tsa) mapfile -t COMPREPLY < <(compgen -W "later" -- "$cur") && return ;;
    erase:--field) mapfile -t COMPREPLY < <(compgen -W "prompt title description seed mix latent_generator truncation tile label styles input file_name negativePrompt sampler artist copyright taken cameraMake cameraModel why tool" -- "$cur") && return ;;
    audit:--rule | audit:--skip) mapfile -t COMPREPLY < <(compgen -W "$(blindstamp audit --list 2>/dev/null | sed '1d;s/ .*//')" -- "$cur") && return ;;
    query:--kind | query:-k) mapfile -t COMPREPLY < <(compgen -W "generation adoption training model decision transfer withdrawal erasure identity admission rotation revocation recovery other" -- "$cur") && return ;;
    query:--sort) mapfile -t COMPREPLY < <(compgen -W "entry time kind author model seed size title file privacy licence" -- "$cur") && return ;;
    query:--count-by) mapfile -t COMPREPLY < <(compgen -W "author model kind day month year privacy licence source-type size" -- "$cur") && return ;;
    query:--privacy) mapfile -t COMPREPLY < <(compgen -W "public partner private unknown" -- "$cur") && return ;;
    query:--source-type) mapfile -t COMPREPLY < <(compgen -W "generated composite edited capture unknown" -- "$cur") && return ;;
    *:--home | gen:--output | gen:-o | sign:--output | sign:-o | train:--samples | train:--root) mapfile -t COMPREPLY < <(compgen -d -- "$cur") && return ;;
    *:--seed | *:-s | gen:--mix | *:--label | gen:-l | *:--size | *:--title | *:--prompt | *:--description | *:--author | *:-a | *:--email | *:--url | \
        *:--since | *:--until | *:--why | *:--tool | *:--reason | *:--licence | *:--text | query:-t | *:--limit | *:-n | *:--offset | *:--threads | *:--memory | *:--tile-size | *:--compression | \
        *:--truncation | gen:-t | *:--hours | *:--steps | *:--batch | *:--crop | *:--license | query:-l | *:--after | *:--as-of | *:--id | *:--jobs | *:-j | *:--runs | *:--gap | *:--slack | \
        *:--organisation | *:--country | *:--producer | *:--propagator | *:--origin | *:--date | timestamp:--tsa)
        return ;;
    esac

    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options $common" -- "$cur")
    elif [ "$prev" = ledger ]; then
        mapfile -t COMPREPLY < <(compgen -W "status verify check export backup recover reindex migrate add" -- "$cur")
    elif [ "$prev" = key ]; then
        mapfile -t COMPREPLY < <(compgen -W "list show export import rotate admit passphrase" -- "$cur")
    elif [ "$prev" = cert ]; then
        mapfile -t COMPREPLY < <(compgen -W "csr import check show remove" -- "$cur")
    elif [ "$prev" = timestamp ]; then
        mapfile -t COMPREPLY < <(compgen -W "request attach add" -- "$cur")
    elif [ "$prev" = trust ]; then
        mapfile -t COMPREPLY < <(compgen -W "add list remove" -- "$cur")
    elif [ "$verb" = trust ] && [ "$prev" = remove ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(blindstamp trust list --json 2>/dev/null | sed -n 's/^    "name": "\(.*\)".*/\1/p')" -- "$cur")
    elif [ "$verb" = key ] && [ "$prev" = export ]; then
        mapfile -t COMPREPLY < <(compgen -W "author log ca" -- "$cur")
    elif [ "$prev" = model ]; then
        mapfile -t COMPREPLY < <(compgen -W "list show add check bench graph" -- "$cur")
    elif [ "$verb" = models ] || { [ "$verb" = model ] && [[ $prev == show || $prev == check || $prev == bench || $prev == graph ]]; }; then
        mapfile -t COMPREPLY < <(compgen -W "$(_blindstamp_models)" -f -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
}
complete -o filenames -F _blindstamp blindstamp
