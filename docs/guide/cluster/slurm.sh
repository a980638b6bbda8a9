#!/bin/bash
# A search, or a sweep, on nodes of a Slurm cluster: sbatch slurm.sh
# Ray starts on every node, the command runs on the first one, and all of it ends with the command.
#SBATCH --job-name=svge-search
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --cpus-per-task=16
#SBATCH --gpus-per-node=4
#SBATCH --time=24:00:00
#SBATCH --output=%x-%j.log
set -euo pipefail

# an environment with svge-explorer[cluster], and the store, on a file system that all nodes see
source "${SVGE_ENVIRONMENT:-$HOME/svge/.venv}/bin/activate"
export SVGE_STORAGE="${SVGE_STORAGE:-sqlite:///$HOME/svge/searches.db}"
export RAY_USAGE_STATS_ENABLED=0
# Ray's nodes trust each other by a token in the home folder, which is made once
ray get-auth-token --generate > /dev/null

name="${1:-first}"
first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
address="$(getent ahostsv4 "$first" | awk 'NR == 1 { print $1 }'):${RAY_PORT:-6379}"

# a job that Slurm ends or begins again goes on with the run of that name
if svge search --list --json | grep -q "\"name\": \"$name\""; then
    run=(--resume "$name")
else
    run=(--name "$name" --space nasbench201 --objective python:mine.training:accuracy --method local-search
        --budget 200 --batch 16)
fi

srun --nodes="$SLURM_JOB_NUM_NODES" --ntasks="$SLURM_JOB_NUM_NODES" \
    ray symmetric-run --address "$address" --min-nodes "$SLURM_JOB_NUM_NODES" \
    --num-cpus="${SLURM_CPUS_PER_TASK:-1}" --num-gpus="${SLURM_GPUS_ON_NODE:-0}" -- \
    svge search "${run[@]}" --allow-python --on ray:auto --cpus-per-evaluation 4 --gpus-per-evaluation "${GPUS:-1}"
